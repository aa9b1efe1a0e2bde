// The durable mark: how far the spool is on stable storage. Owns the file `mark` and its form. `queue put` publishes it
// after each fdatasync; capture confirms to the primary only what it says, and readers see only up to it. No server
// here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/files.hpp"
#include "change/change.hpp"

namespace spool {

struct Mark {
  change::Source source;
  change::Lsn lsn;          // every transaction that commits at or before it is durable here (or was pruned)
  change::Lsn commit_lsn;   // of the last transaction; 0/0 before the first
  change::Lsn end_lsn;      // of the last transaction, or where the spool began
  uint64_t operations = 0;  // ever put
  uint64_t transactions = 0;
  int64_t time = 0;            // commit time of the last transaction, microseconds since 1970
  change::Lsn segment;         // the newest segment, by its name; 0/0 before the first
  uint64_t segment_bytes = 0;  // its bytes that readers may see: whole transactions, synced
  uint64_t segment_chain = 0;  // checksum of the last transaction, which the next one's is chained to
};

// The mark, or nothing where the spool was not founded yet. Safe beside a writer. Throws Error(data) when damaged.
std::optional<Mark> read_mark(const std::filesystem::path& spool);

// The same where there must be one: throws Error(data) saying how a spool is founded.
Mark require_mark(const std::filesystem::path& spool);

// The way out where what is missing cannot be had again; for messages.
inline constexpr const char* link_anew =
    "`capture drop`, `apply drop`, empty the spool directory, and `sync-full --init`, which links the two anew and "
    "makes the tables equal";

// Whether one of the mark's two copies is unreadable; the other one then serves until the next publish() mends it.
bool mark_has_damage(const std::filesystem::path& spool);

// Writes the mark for the one process that holds the spool's lock.
class MarkFile {
 public:
  explicit MarkFile(const std::filesystem::path& spool);
  // Durable::no where the segments themselves tell as much after a crash (a scan from the last durable mark finds
  // what was synced); Durable::yes where only the mark knows (the founding, a keepalive's LSN).
  void publish(const Mark& mark, base::Durable durable);

 private:
  base::Fd fd_;
  uint64_t generation_ = 0;
};

// Makes an empty spool the home of `source`, at source.created; does nothing if it is that already. Throws Error(data)
// when it holds another source.
void found(const std::filesystem::path& spool, const change::Source& source);

// Whether a `queue put` holds the spool's lock now.
bool writer_running(const std::filesystem::path& spool);

}  // namespace spool
