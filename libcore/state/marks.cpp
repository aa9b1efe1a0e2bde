#include "state/marks.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

namespace state {
namespace {

std::filesystem::path marks_path(const std::filesystem::path& state) { return state / "marks"; }

// A table may be called anything, and longer than a file name; the file tells the name.
std::filesystem::path mark_path(const std::filesystem::path& state, const std::string& node, const std::string& table) {
  return marks_path(state) / (base::hex16(base::hash_bytes(node + '\n' + table)) + ".json");
}

}  // namespace

void mark_table(const std::filesystem::path& state, const std::string& node, const std::string& table,
                const std::string& reason, const std::string& operation_id) {
  const std::filesystem::path file = mark_path(state, node, table);
  std::error_code none;
  if (std::filesystem::exists(file, none)) return;
  base::make_directories(marks_path(state));
  const nlohmann::ordered_json json = {{"node", node},
                                       {"table", table},
                                       {"reason", reason},
                                       {"operation_id", operation_id},
                                       {"time", base::iso_time(base::unix_microseconds())}};
  base::replace_file(file, json.dump() + "\n", base::Durable::yes, 0600);  // a reason may quote a row
}

std::vector<TableMark> marked_tables(const std::filesystem::path& state) {
  std::vector<TableMark> out;
  if (!std::filesystem::exists(marks_path(state))) return out;
  for (const auto& entry : std::filesystem::directory_iterator(marks_path(state))) {
    if (entry.path().extension() != ".json") continue;
    const std::optional<std::string> text = base::read_file(entry.path());
    if (!text) continue;  // the full pass has just taken it away
    try {
      const nlohmann::json json = nlohmann::json::parse(*text);
      out.push_back({json.at("node"), json.at("table"), json.at("reason"), json.at("operation_id"), json.at("time")});
    } catch (const nlohmann::json::exception&) {
      throw base::Error(base::Exit::data, entry.path().string() + " is damaged; remove it, and compare all tables");
    }
  }
  std::sort(out.begin(), out.end(), [](const TableMark& a, const TableMark& b) { return a.time < b.time; });
  return out;
}

}  // namespace state
