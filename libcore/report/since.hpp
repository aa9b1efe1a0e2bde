// Since when each thing is wrong: STATE/findings.json, when a look first saw it, for as long as each look sees it. Owns
// that file. `status health` alone writes it; whoever only shows the state reads it. Times are microseconds since 1970.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "report/snapshot.hpp"

namespace report {

using FirstSeen = std::map<std::string, int64_t>;  // by code and node

// A file that is garbage is told in `out`, and counts as not there.
FirstSeen read_first_seen(const std::filesystem::path& state, Snapshot& out);
// Pure: into the findings of the verdict that do not know it themselves. What nobody has seen before has no time.
void tell_since(const FirstSeen& seen, Verdict& verdict);
// What is wrong now is seen now, unless it was before; what is not any more is forgotten. The findings have it then,
// too. Throws Error where the file cannot be written.
void note_findings(const std::filesystem::path& state, Snapshot& snapshot);

}  // namespace report
