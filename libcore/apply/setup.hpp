// What apply needs before its first run: its row of progress on the standby, and its cursor in the spool.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace apply {

// Made (or found made), and removed. `node`: as Options::node. Throws Error(data) when the spool is not founded,
// base::MissingRights with all that init lacks.
void init(const config::Settings& settings, const std::string& node);
void drop(const config::Settings& settings, const std::string& node);

}  // namespace apply
