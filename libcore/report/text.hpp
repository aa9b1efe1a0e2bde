// The snapshot as one screen for people: is the backup good, since when, and if not, what is to be done. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "report/snapshot.hpp"

namespace report {

// `colour`: with the terminal's colours. `width`: columns at which lines are cut, but for what is wrong; 0: never.
std::string show_text(const Snapshot& snapshot, bool colour, size_t width);

// One line, for logs: the level, the lag, the queue and the first finding.
std::string line_text(const Snapshot& snapshot);

}  // namespace report
