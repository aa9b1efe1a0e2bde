// What is at the spool's end after a crash. A transaction may be synced and not yet marked, or half written: the first
// is kept, the second cut off, since the slot sends it again. Damage before the mark is never cut, it is an error.
// scan_end() only looks; repair_end() is for the one process that holds the spool's lock.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "spool/layout.hpp"
#include "spool/mark.hpp"

namespace spool {

struct End {
  std::optional<Mark> before;     // the mark on disk; none where it is damaged and was made again from the segments
  Mark mark;                      // after the last whole transaction
  std::optional<Segment> newest;  // the segment that it names
  uint64_t cut_bytes = 0;         // in that segment, after the last whole transaction
  std::vector<Segment> kept;      // segments with transactions beyond the mark on disk; to be synced
  std::vector<Segment> leftover;  // segments without a whole transaction that follows; to be removed
};

// Where the spool really ends, at least what the mark says. capture uses it to compare with the slot before it starts:
// after a power cut the mark may be older than what was confirmed. Throws Error(data) where the spool is not founded,
// or the mark's own part is damaged.
End scan_end(const std::filesystem::path& spool);

// scan_end(), then makes it so, durably: cuts, removes, syncs, publishes. Returns the mark from which to go on.
Mark repair_end(const std::filesystem::path& spool);

}  // namespace spool
