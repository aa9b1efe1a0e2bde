// How often in a row each server has not answered, counted across runs: STATE/nodes.json. Owns that file. For
// snapshot.cpp.
#pragma once

#include <filesystem>

#include "report/snapshot.hpp"

namespace report {

// Fills failure_count, last_check and last_error of the nodes from the file and from what their servers answered just
// now, and the file says so, too, where it may be written. A failure that is looked at again before `interval` (s) has
// passed is no further one: who watches closely must not make a server offline the sooner. A file that is garbage is
// told, and counts as not there.
void count_failures(const std::filesystem::path& state, double interval, Snapshot& out);

}  // namespace report
