#include "spool/cursor.hpp"

#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/locked.hpp"
#include "spool/layout.hpp"

namespace spool {

std::optional<Cursor> read_cursor(const std::filesystem::path& spool, const std::string& node) {
  const std::filesystem::path file = cursor_path(spool, node);
  const std::optional<std::string> text = base::read_file(file);
  if (!text) return std::nullopt;
  try {
    const nlohmann::json json = nlohmann::json::parse(*text);
    Cursor cursor;
    cursor.operations = json.at("operations").get<uint64_t>();
    cursor.time = base::parse_iso_time(json.at("time").get<std::string>());
    const bool paused = json.contains("paused");
    if (paused) cursor.paused.emplace();
    if ((!paused || change::Lsn::parse(json["paused"].get<std::string>(), *cursor.paused)) &&
        change::Lsn::parse(json.at("lsn").get<std::string>(), cursor.lsn) &&
        change::Lsn::parse(json.at("end_lsn").get<std::string>(), cursor.end_lsn) && cursor.time >= 0)
      return cursor;
  } catch (const nlohmann::json::exception&) {
    // told below, without the bytes
  }
  throw base::Error(base::Exit::data, file.string() + " is damaged; remove it, the next apply writes it anew");
}

bool applier_running(const std::filesystem::path& spool, const std::string& node) {
  return base::is_locked(cursor_lock_path(spool, node));
}

CursorFile::CursorFile(const std::filesystem::path& spool, const std::string& node)
    : file_(cursor_path(spool, node)), lock_(cursor_lock_path(spool, node), "apply " + node, private_file) {}

void CursorFile::publish(const Cursor& cursor) {
  nlohmann::ordered_json json = {{"lsn", cursor.lsn.text()},
                                 {"end_lsn", cursor.end_lsn.text()},
                                 {"operations", cursor.operations},
                                 {"time", base::iso_time(cursor.time)}};
  if (cursor.paused) json["paused"] = cursor.paused->text();
  std::string text = json.dump() + "\n";
  try {
    // Not durable: an older cursor after a power cut only keeps segments longer, and the standby knows the truth.
    base::replace_file(file_, text, base::Durable::no, private_file);
  } catch (const base::Error& full) {
    if (full.kind() != base::Exit::cannot_create || !std::filesystem::exists(file_)) throw;
    // A full disk gets room by what the cursor says, so it goes over the one that is there; no shorter than that.
    const base::Fd fd = base::open_file(file_, O_WRONLY);
    text.insert(text.size() - 1, std::max(text.size(), std::filesystem::file_size(file_)) - text.size(), ' ');
    base::pwrite_all(fd.get(), text, 0, file_.string());
  }
}

}  // namespace spool
