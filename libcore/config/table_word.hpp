// A table as the configuration names it, in sync_tables and in filters: SQL's own spelling inside YAML's. For
// config::load() and its rooms only.
#pragma once

#include <string>

#include "base/table_name.hpp"
#include "config/report.hpp"
#include "config/value.hpp"

namespace config {

// The table that `value` names as SQL does; throws Error(config) naming the place.
base::TableName read_table(const Value& value, const std::string& name, Report& report);

}  // namespace config
