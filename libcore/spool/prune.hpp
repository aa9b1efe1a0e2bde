// Removes segments that every standby has applied. Owns the rule of what may go; `queue prune`, apply and a full
// `queue put` call it, at the same time if need be.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace spool {

// Names of the segments removed, oldest first. A segment goes when every secondary has applied a transaction after it
// and spool.retain seconds have passed since that was first seen; never the newest one, and nothing as long as a
// secondary has no readable cursor.
std::vector<std::string> prune(const config::Settings& settings);
std::string prune_text(const config::Settings& settings);  // the same, a line each

}  // namespace spool
