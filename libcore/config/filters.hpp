// The `filters` section: what of the synced tables is captured. Owns its check against sync_tables; whether a condition
// is SQL is for the server to say. For config::load() only.
#pragma once

#include <filesystem>
#include <vector>

#include "base/table_name.hpp"
#include "config/section.hpp"
#include "config/settings.hpp"

namespace config {

// Reads the section of the whole document `top`; a program named by a relative path counts from `folder`. Throws
// Error(config) naming the place, also for a table that is none of `tables`.
Filters read_filters(Section& top, const std::filesystem::path& folder, const std::vector<base::TableName>& tables);

}  // namespace config
