// The record of the last incremental pass, STATE/runs/incremental.json, which scripts/sync-incremental writes at its
// end, with what became of each standby, by this pass or the last one that was for it; and whether one is at work.
// Reads only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace state {

struct IncrementalPass {
  int64_t started = 0;  // microseconds since 1970
  int64_t ended = 0;
  int exit_code = 0;
  std::string failed;                                 // which program; empty: none
  std::map<std::string, IncrementalPass> nodes = {};  // by standby; in such a one empty
};

// Nothing where none has ended yet. Throws Error(data) for a record that is damaged.
std::optional<IncrementalPass> last_incremental(const std::filesystem::path& state);
bool incremental_runs(const std::filesystem::path& state);

}  // namespace state
