#include "report/failures.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "report/local.hpp"

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
      if (!found->at("last_error").is_null()) node.last_error = found->at("last_error");
    }
  } catch (const nlohmann::json::exception&) {
    throw base::Error(base::Exit::data, file.string() + " is damaged; remove it, the next look writes it anew");
  }
}

}  // namespace

void count_failures(const std::filesystem::path& state, bool note, Snapshot& out) {
  const std::filesystem::path file = state / "nodes.json";
  look(out, file, [&] {
    if (const std::optional<std::string> text = base::read_file(file)) read_counts(*text, file, out);
  });
  ordered_json json = ordered_json::object();
  for (auto& [name, node] : out.nodes) {
    node.last_check = out.time;
    if (node.server.reached()) {
      node.failure_count = 0;
    } else {
      ++node.failure_count;
      node.last_error = node.server.error;
    }
    json[name] = {{"failure_count", node.failure_count},
                  {"last_check", base::iso_time(out.time)},
                  {"last_error", node.last_error.empty() ? ordered_json() : ordered_json(node.last_error)}};
  }
  if (!note) return;
  try {
    base::make_directories(state);
    base::replace_file(file, json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n",
                       base::Durable::no);
  } catch (const base::Error& error) {
    base::log(base::Level::debug, error.what());  // whoever only looks need not be able to write
  }
}

}  // namespace report
