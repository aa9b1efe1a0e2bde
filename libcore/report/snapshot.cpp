#include "report/snapshot.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "pg/address.hpp"
#include "report/ask.hpp"
#include "report/failures.hpp"
#include "report/health.hpp"
#include "report/judges.hpp"
#include "report/local.hpp"
#include "report/since.hpp"
#include "report/words.hpp"
#include "spool/mark.hpp"

namespace report {
namespace {

// s that each server may take, to connect and to answer.
constexpr double deadline = 3;

std::optional<change::Source> source_of(const config::Settings& settings) {
  try {
    if (const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory)) return mark->source;
  } catch (const base::Error&) {
    // look_at_spool() tells
  }
  return {};
}

void name_nodes(const config::Settings& settings, Snapshot& out) {
  out.local_node = settings.local_node;
  size_t primaries = 0;
  for (const auto& [name, of] : settings.nodes) {
    Node& node = out.nodes[name];
    node.name = name;
    node.role = of.role;
    node.priority = of.priority;
    node.host = of.host;
    node.port = of.port;
    if (node.host.empty()) {
      const pg::Address address = pg::address_of(of.database_url);
      node.host = address.host;
      if (address.port != 0) node.port = address.port;
    }
    node.failure_threshold = static_cast<uint64_t>(of.failure_threshold);
    node.lag_threshold = of.replication_lag_threshold;
    if (of.role == config::Role::secondary) {
      out.standbys[name].node = name;
    } else {
      out.current_primary = name;
      ++primaries;
    }
  }
  if (primaries != 1) out.current_primary.clear();
}

// Services hold their locks; passes leave the time of their end.
void judge_monitoring(Snapshot& out) {
  const auto all = [&](const auto& is) {
    return !out.standbys.empty() &&
           std::all_of(out.standbys.begin(), out.standbys.end(), [&](const auto& of) { return is(of.second); });
  };
  const bool recent = all([&](const Standby& of) {
    const Incremental& pass = of.incremental;
    // One that failed, because services run, say, has brought nothing over.
    return moves(out, pass) || (!pass.running && pass.exit_code.value_or(0) <= 1 && ended_lately(out, pass));
  });
  const bool all_apply = all([](const Standby& of) { return of.applier_running; });
  out.by_services = out.spool.capture_running && all_apply && !out.incremental.running;
  out.is_monitoring = (out.spool.capture_running || recent) && (all_apply || recent);
}

}  // namespace

Snapshot take_snapshot(const config::Settings& settings) {
  Snapshot out;
  out.version = PGTANDEM_VERSION;
  out.limits = {settings.synchronization.full_sync_interval, settings.synchronization.incremental_sync_interval,
                settings.synchronization.max_queue_size, settings.full_sync.max_age};
  name_nodes(settings, out);
  const std::map<std::string, Answer> answers = ask_servers(settings, source_of(settings), deadline);
  out.time = base::unix_microseconds();
  for (auto& [name, node] : out.nodes) {
    node.server = answers.at(name).server;
    if (name == out.current_primary) out.slot = answers.at(name).slot;
  }
  look_at_spool(settings, answers, out);
  look_at_state(settings, out);
  look_at_services(settings, out);
  count_failures(settings.state_directory, settings.monitoring.health_check_interval, out);
  judge_monitoring(out);
  out.sync_queue_size = 0;
  if (const Standby* const slowest = out.slowest()) {
    // Of one of which nobody knows what waits for it, it may be the most.
    const bool known = std::all_of(out.standbys.begin(), out.standbys.end(),
                                   [](const auto& of) { return of.second.waiting.has_value(); });
    out.sync_queue_size = known ? slowest->waiting : std::nullopt;
    out.oldest_pending = slowest->oldest_pending;
  }
  for (auto& [name, node] : out.nodes) {
    const auto standby = out.standbys.find(name);
    node.replication_lag = standby == out.standbys.end() ? std::optional<double>(0) : standby->second.lag_seconds;
  }
  const FirstSeen seen = read_first_seen(settings.state_directory, out);
  judge_all(out);
  tell_since(seen, out.verdict);
  return out;
}

}  // namespace report
