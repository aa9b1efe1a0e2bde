#include "report/since.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/spare.hpp"
#include "report/local.hpp"

namespace report {
namespace {

using nlohmann::ordered_json;

std::filesystem::path path_in(const std::filesystem::path& state) { return state / "findings.json"; }

// Nodes have no slash in their names, codes no odd character at all.
std::string key_of(const Finding& finding) { return finding.code + "/" + finding.node; }

FirstSeen parse(const std::string& text, const std::filesystem::path& file) {
  try {
    FirstSeen seen;
    const ordered_json json = ordered_json::parse(text);
    for (const auto& [key, time] : json.items()) seen[key] = base::parse_iso_time(time.get_ref<const std::string&>());
    return seen;
  } catch (const nlohmann::json::exception&) {
    throw base::Error(base::Exit::data, file.string() + " is damaged; remove it, the next health run writes it anew");
  }
}

FirstSeen read(const std::filesystem::path& file) {
  const std::optional<std::string> text = base::read_file(file);
  return text ? parse(*text, file) : FirstSeen{};
}

}  // namespace

FirstSeen read_first_seen(const std::filesystem::path& state, Snapshot& out) {
  FirstSeen seen;
  look(out, path_in(state), [&] { seen = read(path_in(state)); });
  return seen;
}

void tell_since(const FirstSeen& seen, Verdict& verdict) {
  for (Finding& finding : verdict.findings) {
    const auto found = seen.find(key_of(finding));
    if (!finding.since && found != seen.end()) finding.since = found->second;
  }
}

void note_findings(const std::filesystem::path& state, Snapshot& snapshot) {
  const std::filesystem::path file = path_in(state);
  base::make_directories(state);
  const base::FileLock lock(state / "findings.lock", "status health");
  FirstSeen before;
  bool whole = true;
  try {
    before = read(file);
  } catch (const base::Error& error) {
    if (error.kind() != base::Exit::data) throw;
    whole = false;  // the snapshot tells
  }
  FirstSeen now;
  for (const Finding& finding : snapshot.verdict.findings) {
    const auto found = before.find(key_of(finding));
    now[key_of(finding)] = found == before.end() ? snapshot.time : found->second;
  }
  tell_since(now, snapshot.verdict);
  if (whole && now == before) return;
  ordered_json json = ordered_json::object();
  for (const auto& [key, time] : now) json[key] = base::iso_time(time);
  base::replace_spared(file, json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n",
                       base::Durable::no);
}

}  // namespace report
