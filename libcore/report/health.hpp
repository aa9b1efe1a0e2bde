// What a snapshot means: one level, and findings in words, each with the command that mends it. The one place where it
// is decided what is red; the page, the metrics, the alerts and the exit code of `status health` follow it. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/snapshot.hpp"

namespace report {

const char* name_of(Health health);  // healthy, warning, critical, offline

// `unknown` only where nothing critical is known and nothing good can be said. Never throws.
Verdict judge(const Snapshot& snapshot);
// The verdict into the snapshot, and what it means for each node: the end of making one.
void judge_all(Snapshot& snapshot);

// Healthy, warning, critical, or offline after failure_threshold looks in vain; by that node's findings in the verdict.
Health judge_node(const Snapshot& snapshot, const Node& node);

// s that the standby may be behind: its replication_lag_threshold; by passes at least two intervals of them, and what
// the last one took: in between nothing comes, and that is as it should be.
double lag_limit_of(const Snapshot& snapshot, const std::string& node);
// A lag of more than so many limits is critical.
constexpr double much_lag = 10;

// First line and perfdata, as monitoring plugins have them; then a line a finding.
std::string plugin_text(const Snapshot& snapshot);

}  // namespace report
