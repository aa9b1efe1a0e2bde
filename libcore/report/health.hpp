// What a snapshot means: one level, and findings in words, each with the command that mends it. The one place where it
// is decided what is red; the page, the metrics, the alerts and the exit code of `status health` follow it. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/snapshot.hpp"

namespace report {

// Their numbers are the exit codes of monitoring plugins.
enum class Level : int { ok = 0, warning = 1, critical = 2, unknown = 3 };
const char* name_of(Level level);    // ok, warning, critical, unknown
const char* name_of(Health health);  // healthy, warning, critical, offline

struct Finding {
  Level level = Level::warning;
  std::string code;  // a word for programs, as "slot_missing"; never changes its meaning
  std::string node;  // that it is about; empty: all of it
  std::string what;  // one line, for people
  std::string mend;  // the command, or the statement, that mends it
};

struct Verdict {
  Level level = Level::ok;
  std::string line;               // the answer in one short line
  std::vector<Finding> findings;  // the worst first
};

// `unknown` only where nothing critical is known and nothing good can be said. Never throws.
Verdict judge(const Snapshot& snapshot);

// Healthy, warning, critical, or offline after failure_threshold looks in vain; by that node's findings.
Health judge_node(const Snapshot& snapshot, const Node& node);

// First line and perfdata, as monitoring plugins have them; then a line a finding.
std::string plugin_text(const Snapshot& snapshot);

}  // namespace report
