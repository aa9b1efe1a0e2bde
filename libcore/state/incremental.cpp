#include "state/incremental.hpp"

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/locked.hpp"

namespace state {
namespace {

IncrementalPass pass_of(const nlohmann::json& json) {
  IncrementalPass pass;
  pass.started = base::parse_iso_time(json.at("started").get_ref<const std::string&>());
  pass.ended = base::parse_iso_time(json.at("ended").get_ref<const std::string&>());
  pass.exit_code = json.at("exit_code");
  if (!json.at("failed").is_null()) pass.failed = json.at("failed");
  return pass;
}

}  // namespace

std::optional<IncrementalPass> last_incremental(const std::filesystem::path& state) {
  const std::filesystem::path file = state / "runs" / "incremental.json";
  const std::optional<std::string> text = base::read_file(file);
  if (!text) return std::nullopt;
  try {
    const nlohmann::json json = nlohmann::json::parse(*text);
    IncrementalPass pass = pass_of(json);
    for (const auto& [node, part] : json.at("nodes").items()) pass.nodes[node] = pass_of(part);
    if (pass.started >= 0 && pass.ended >= 0) return pass;
  } catch (const nlohmann::json::exception&) {
    // told below
  }
  throw base::Error(base::Exit::data, file.string() + " is damaged; remove it, the next pass writes it anew");
}

bool incremental_runs(const std::filesystem::path& state) { return base::is_locked(state / "incremental.lock"); }

}  // namespace state
