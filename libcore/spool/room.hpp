// Whether the spool may grow: spool.max_bytes, and max_queue_size under spool.strict. Owns the count of bytes; prunes
// when it would be over, and never lets the spool wait for what cannot happen. For `queue put` alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/settings.hpp"
#include "spool/mark.hpp"

namespace spool {

class Room {
 public:
  explicit Room(const config::Settings& settings);

  // Whether `more` bytes may be written to segment `current`, with everything up to `written` on its way to the
  // standbys. A transaction that is too large for the whole spool may be written once nothing else is in it.
  bool for_bytes(uint64_t more, const Mark& written, change::Lsn current);
  void wrote(uint64_t bytes) { used_ += bytes; }
  uint64_t used() const { return used_; }
  void cut(uint64_t bytes) { used_ -= bytes < used_ ? bytes : used_; }

  // Under spool.strict: whether another transaction may follow on `operations` put so far.
  bool for_operations(uint64_t operations);

 private:
  const config::Settings& settings_;
  uint64_t used_ = 0;                // bytes of all segments: when last looked at, and written since
  uint64_t applied_operations_ = 0;  // by the slowest standby, when last looked at
  bool said_too_large_ = false;
};

// For others to know of: while `queue put` waits for room a file says since when and why. On a full disk it may be
// missing; one that a put left which was killed counts only until the next put.
void note_full(const std::filesystem::path& spool, const std::string& why);
void note_room(const std::filesystem::path& spool);
// Why it waits; empty: it does not.
std::string full_because(const std::filesystem::path& spool);

}  // namespace spool
