#include "http/api.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"
#include "base/log.hpp"
#include "http/page.hpp"
#include "report/api_json.hpp"
#include "report/health.hpp"
#include "report/metrics.hpp"
#include "state/full_pass.hpp"
#include "state/switches.hpp"

namespace http {
namespace {

struct Place {
  const config::Settings& settings;
  Board& board;
  const Request& request;
};

Answer json(std::string text) {
  text += '\n';
  return {.body = std::move(text)};
}

// One of the report's texts of the snapshot as it is.
template <std::string (*text)(const report::Snapshot&)>
Answer told(const Place& at) {
  return json(text(*at.board.now()));
}

Answer ready(const Place& at) {
  const auto snapshot = at.board.now();
  Answer out = json(report::health_json(*snapshot));
  // A warning is for people to look at; whoever reads the standby can go on.
  if (snapshot->verdict.level > report::Level::warning) out.status = 503;
  return out;
}

Answer metrics(const Place& at) {
  return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = report::metrics_text(*at.board.now())};
}

Answer history(const Place& at) { return {.body = at.board.history_json()}; }
Answer page(const Place&) { return page_answer(); }

constexpr std::string_view runs = "/api/runs/";

Answer run(const Place& at) {
  const auto pass = state::run_of(at.settings.state_directory, at.request.path.substr(runs.size()));
  return pass ? json(state::run_json(*pass)) : refusal(404, "there is no such run, or not any more");
}

std::string who(const Place& at) { return "api@" + at.request.peer; }

Answer force_sync(const Place& at) {
  const state::Started started = state::start_full_pass(at.settings, {}, who(at));
  at.board.look_again();
  return success(started.already_running ? "a full sync is already running" : "full sync started", started.pass.run,
                 started.already_running);
}

Answer turn(const Place& at, bool enabled) {
  const bool configured = at.settings.synchronization.auto_sync_enabled;
  const state::Turned turned = state::turn_auto_sync(at.settings.state_directory, configured, enabled, who(at), {});
  at.board.look_again();
  return success((turned.changed ? "" : "nothing to change: ") + state::text_of(turned.now));
}

Answer enable(const Place& at) { return turn(at, true); }
Answer disable(const Place& at) { return turn(at, false); }

struct Route {
  std::string_view path;  // one that ends with a slash stands for all below it
  bool reads;
  Answer (*answer)(const Place&);
};

constexpr std::array routes = {
    Route{"/api/sync-status", true, told<report::sync_status_json>},
    Route{"/api/status", true, told<report::status_json>},
    Route{"/api/replication-lag", true, told<report::replication_lag_json>},
    Route{"/api/health", true, told<report::health_json>},
    Route{"/api/ready", true, ready},
    Route{"/api/snapshot", true, told<report::show_json>},
    Route{"/api/history", true, history},
    Route{runs, true, run},
    Route{"/metrics", true, metrics},
    Route{"/", true, page},
    Route{"/api/force-sync", false, force_sync},
    Route{"/api/sync/enable", false, enable},
    Route{"/api/sync/disable", false, disable},
};

const Route* route_of(const std::string& path) {
  const auto fits = [&](const Route& route) {
    const bool below = route.path.size() > 1 && route.path.ends_with('/');
    return below ? path.size() > route.path.size() && path.starts_with(route.path) : path == route.path;
  };
  const auto* const found = std::find_if(routes.begin(), routes.end(), fits);
  return found == routes.end() ? nullptr : found;
}

}  // namespace

std::optional<Answer> Api::refuse(const Request& request) const {
  if (std::optional<Answer> refused = http::refuse(request, rules_)) return refused;
  const Route* const route = route_of(request.path);
  if (route == nullptr) return refusal(404, "there is nothing here; pgtandem-api(7) lists the paths");
  if (route->reads && !request.is_read()) {
    return refusal(405, "this is read with GET", {{"Allow", "GET, HEAD"}});
  }
  if (!route->reads && request.method != "POST") return refusal(405, "this is done with POST", {{"Allow", "POST"}});
  return std::nullopt;
}

Answer Api::read(const Request& request) { return act(request); }

// What people can mend is said to whoever asked: no message of the house holds a secret.
Answer Api::act(const Request& request) try {
  return route_of(request.path)->answer({settings_, board_, request});
} catch (const base::Error& error) {
  base::log(base::Level::error, request.path + ": " + error.what());
  return refusal(error.kind() == base::Exit::try_later ? 503 : 500, error.what());
}

}  // namespace http
