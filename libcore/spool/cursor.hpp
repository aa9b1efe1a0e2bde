// What a standby has durably applied, as its applier last said: for depth, lag and retention. The position that counts
// is the standby's own progress row; a cursor never decides where reading starts. Owns cursors/<node> and its lock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "change/lsn.hpp"

namespace spool {

struct Cursor {
  change::Lsn lsn;                      // commit LSN of the last transaction applied
  change::Lsn end_lsn;                  // its end
  uint64_t operations = 0;              // ever applied, counted as Mark::operations are
  int64_t time = 0;                     // its commit time, microseconds since 1970
  std::optional<change::Lsn> paused{};  // a table that is paused has only this; nothing if none is
};

std::optional<Cursor> read_cursor(const std::filesystem::path& spool, const std::string& node);

// Whether an applier of that node is at work now.
bool applier_running(const std::filesystem::path& spool, const std::string& node);

// Held by the one applier of a node; a second one throws Error(try_later).
class CursorFile {
 public:
  CursorFile(const std::filesystem::path& spool, const std::string& node);
  void publish(const Cursor& cursor);

 private:
  std::filesystem::path file_;
  base::FileLock lock_;
};

}  // namespace spool
