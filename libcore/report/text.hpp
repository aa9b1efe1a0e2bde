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

// The first of its lines, as many as fill at most so many rows of a screen that is so wide: a longer one takes several,
// and one that would not end on the screen is left out. Without the last newline, which would scroll a screen that is
// full.
std::string first_rows(const std::string& text, size_t width, size_t rows);

}  // namespace report
