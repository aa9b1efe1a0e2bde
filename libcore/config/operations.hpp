// The sections that the operator's side reads: the full pass's cost, the HTTP API, alerts, monitoring, and what old
// files carry beside them. Owns their types and limits. For config::load() only.
#pragma once

#include <filesystem>

#include "config/section.hpp"
#include "config/settings.hpp"

namespace config {

// Each reads its section of the whole document `top`; throws Error(config) naming the place. `api_port`: of the local
// node, where old files say on which port their clients ask; 0 for none. It goes before 8001 where api.ports is not
// given.
FullSync read_full_sync(Section& top);
Api read_api(Section& top, const std::filesystem::path& folder, int api_port);
Alerts read_alerts(Section& top);
Monitoring read_monitoring(Section& top);
// The thresholds that a node or the whole file may give; keeps what is not there.
void read_thresholds(Section& section, int& failure_threshold, double& replication_lag_threshold);

}  // namespace config
