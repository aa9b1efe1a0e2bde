// What `queue stat` and `queue list` tell, as values and as text. Looks only; works beside a writer and appliers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "spool/depth.hpp"
#include "spool/layout.hpp"

namespace spool {

struct Stat {
  Mark mark;
  uint64_t bytes = 0;  // of all segments
  uint64_t max_bytes = 0;
  uint64_t segments = 0;
  uint64_t dead = 0;
  uint64_t waiting = 0;                   // operations that the slowest standby has not applied
  std::optional<int64_t> oldest_pending;  // commit time of the first of them, microseconds since 1970
  bool congested = false;                 // more than max_queue_size
  bool writer = false;                    // a `queue put` runs
  bool full = false;                      // and takes nothing more until there is room
  Cursors cursors;
};
Stat stat(const config::Settings& settings);
std::string stat_json(const Stat& stat);  // one line
std::string stat_text(const Stat& stat);  // one screen

struct SegmentInfo {
  Segment segment;  // `bytes`: those that count, where a writer may be ahead of them
  change::Lsn last;
  uint64_t operations = 0;
  int64_t time = 0;    // of the last transaction
  std::string damage;  // empty: none met
};
// Reads every segment through, since only its end tells what its end is.
std::vector<SegmentInfo> list(const config::Settings& settings);
std::string list_json(const std::vector<SegmentInfo>& list);  // a line a segment
std::string list_text(const std::vector<SegmentInfo>& list);

}  // namespace spool
