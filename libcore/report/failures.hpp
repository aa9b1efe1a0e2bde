// How often in a row each server has not answered, counted across runs: STATE/nodes.json. Owns that file. For
// snapshot.cpp.
#pragma once

#include <filesystem>

#include "report/snapshot.hpp"

namespace report {

// Fills failure_count, last_check and last_error of the nodes from the file and from what their servers answered just
// now; with `note` the file then says so, too. A file that is garbage is told, and counts as not there.
void count_failures(const std::filesystem::path& state, bool note, Snapshot& out);

}  // namespace report
