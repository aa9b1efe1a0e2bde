// The sections that later parts of the house will use: api, alerts, and what old files carry. Owns
// their check, so that a file that is accepted today stays accepted; keeps nothing of them. For config::load() only.
#pragma once

#include <filesystem>

#include "base/table_name.hpp"
#include "config/section.hpp"

namespace config {

// The table that `value` names as SQL does; throws Error(config) naming the place.
base::TableName read_table(const Value& value, const std::string& name, Report& report);

// Each reads its section of the whole document `top`, and notes that it is not used yet.
void check_api(Section& top, const std::filesystem::path& folder);
void check_alerts(Section& top);
void check_monitoring(Section& top);

}  // namespace config
