// What somebody decided that a snapshot means: a level, and findings in words. Plain values, made by judge()
// (health.hpp) once a snapshot; the page, the metrics, the alerts and the exit code of `status health` follow them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace report {

// Their numbers are the exit codes of monitoring plugins.
enum class Level : int { ok = 0, warning = 1, critical = 2, unknown = 3 };
const char* name_of(Level level);  // ok, warning, critical, unknown

struct Finding {
  Level level = Level::warning;
  std::string code;                   // a word for programs, as "slot_missing"; never changes its meaning
  std::string node;                   // that it is about; empty: all of it
  std::string what;                   // one line, for people
  std::string mend;                   // the command, or the statement, that mends it
  std::optional<int64_t> since = {};  // microseconds since 1970: when it began, or was first seen; absent: not known
};

struct Verdict {
  Level level = Level::ok;
  std::string line;               // the answer in one short line
  std::vector<Finding> findings;  // the worst first
};

}  // namespace report
