#include "state/marks.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

namespace state {
namespace {

std::filesystem::path marks_path(const std::filesystem::path& state) { return state / "marks"; }

// A file's times come from a clock that ticks every 4 ms or 10 ms, so they may lie that much before the act.
constexpr int64_t clock_slack_us = 20'000;

// A table may be called anything, and longer than a file name; the file tells the name.
std::filesystem::path mark_path(const std::filesystem::path& state, const std::string& node, const std::string& table) {
  return marks_path(state) / (base::hex16(base::hash_bytes(node + '\n' + table)) + ".json");
}

}  // namespace

void mark_table(const std::filesystem::path& state, const std::string& node, const std::string& table,
                const std::string& reason, const std::string& operation_id) {
  const std::filesystem::path file = mark_path(state, node, table);
  // Marked again: whoever is proving the table just now must not take that away, see clear_mark().
  if (::utimensat(AT_FDCWD, file.c_str(), nullptr, 0) == 0) return;
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
    // .proven: whoever was about to take it away died before.
    if (entry.path().extension() != ".json" && entry.path().extension() != ".proven") continue;
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

bool clear_mark(const std::filesystem::path& state, const std::string& node, const std::string& table,
                int64_t proven_us) {
  const std::filesystem::path file = mark_path(state, node, table);
  // Set aside first: what is marked from now on is another file, and what was touched before shows here.
  const std::filesystem::path aside = file.string() + ".proven";
  if (::rename(file.c_str(), aside.c_str()) != 0) {
    if (errno != ENOENT) base::throw_errno("cannot take away " + file.string());
    if (!std::filesystem::exists(aside)) return false;
  }
  struct stat now {};
  if (::stat(aside.c_str(), &now) != 0) base::throw_errno("cannot look at " + aside.string());
  const int64_t touched_us = int64_t{now.st_mtim.tv_sec} * 1'000'000 + now.st_mtim.tv_nsec / 1000;
  if (touched_us >= proven_us - clock_slack_us) {
    if (::rename(aside.c_str(), file.c_str()) != 0) base::throw_errno("cannot put back " + file.string());
    return false;
  }
  std::filesystem::remove(aside);
  base::sync_directory(marks_path(state));
  return true;
}

}  // namespace state
