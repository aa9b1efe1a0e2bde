// The sections that the operator's side reads: the full pass's cost, the HTTP API, alerts, monitoring, and what old
// files carry beside them. Owns their types and limits. For config::load() only.
#pragma once

#include <filesystem>

#include "config/section.hpp"
#include "config/settings.hpp"

namespace config {

// Each reads its section of the whole document `top`; throws Error(config) naming the place.
FullSync read_full_sync(Section& top);
Api read_api(Section& top, const std::filesystem::path& folder);
Alerts read_alerts(Section& top);
Monitoring read_monitoring(Section& top);
// The thresholds that a node or the whole file may give; keeps what is not there.
void read_thresholds(Section& section, int& failure_threshold, double& replication_lag_threshold);

}  // namespace config
