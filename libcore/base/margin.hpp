// How near to trouble a machine may come before somebody is told: room on a disk, and clocks that differ. Owns the
// figures, so that a look at the running whole and a check of a set-up say the same. Pure.
#pragma once

#include <cstdint>

namespace base {

enum class Room {
  enough,
  little,  // less than a tenth: time to do something
  none,    // less than a fiftieth: the next large transaction finds it full
};
// Bytes of a file system. One that has none at all is not known, and enough.
Room room_on(uint64_t free, uint64_t total);

// s that clocks may differ, beyond what the question's own time explains: commit times, and so lags, are wrong by that.
// NTP keeps it far below; a machine without time service drifts past it in weeks.
constexpr double most_clock_skew = 2;

}  // namespace base
