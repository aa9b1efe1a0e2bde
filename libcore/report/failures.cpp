#include "report/failures.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/spare.hpp"
#include "report/local.hpp"
#include "report/words.hpp"

namespace report {
namespace {

using nlohmann::ordered_json;

void read_counts(const std::string& text, const std::filesystem::path& file, Snapshot& out) {
  try {
    const ordered_json json = ordered_json::parse(text);
    for (auto& [name, node] : out.nodes) {
      const auto found = json.find(name);
      if (found == json.end()) continue;
      node.failure_count = found->at("failure_count");
      node.last_check = base::parse_iso_time(found->at("last_check").get_ref<const std::string&>());
      if (!found->at("last_error").is_null()) node.last_error = found->at("last_error");
    }
  } catch (const nlohmann::json::exception&) {
    throw base::Error(base::Exit::data, file.string() + " is damaged; remove it, the next look writes it anew");
  }
}

}  // namespace

void count_failures(const std::filesystem::path& state, double interval, Snapshot& out) {
  const std::filesystem::path file = state / "nodes.json";
  std::optional<base::FileLock> lock;  // none: whoever only looks need not be able to write
  try {
    base::make_directories(state);
    lock.emplace(state / "nodes.lock", "status");
  } catch (const base::Error& error) {
    base::log(base::Level::debug, error.what());
  }
  look(out, file, [&] {
    if (const std::optional<std::string> text = base::read_file(file)) read_counts(*text, file, out);
  });
  ordered_json json = ordered_json::object();
  for (auto& [name, node] : out.nodes) {
    if (node.server.reached()) {
      node.failure_count = 0;
      node.last_check = out.time;
    } else {
      // A tenth early counts: a timer that looks at the interval is not to miss every second one by a moment.
      const bool further =
          node.failure_count == 0 || !node.last_check || seconds_between(*node.last_check, out.time) >= interval * 0.9;
      if (further) ++node.failure_count;
      if (further) node.last_check = out.time;
      node.last_error = node.server.error;
    }
    json[name] = {{"failure_count", node.failure_count},
                  {"last_check", base::iso_time(*node.last_check)},
                  {"last_error", node.last_error.empty() ? ordered_json() : ordered_json(node.last_error)}};
  }
  if (!lock) return;
  try {
    base::replace_spared(file, json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n",
                         base::Durable::no);
  } catch (const base::Error& error) {
    base::log(base::Level::debug, error.what());
  }
}

}  // namespace report
