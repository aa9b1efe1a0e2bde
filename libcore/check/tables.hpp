// The synced tables: on the primary whether each can be captured, on the standby whether each can take what comes, and
// both beside each other. Owns what is asked only here (constraints that nobody checks, sequences that are behind); the
// rest is asked as capture, apply and compare ask it.
#pragma once

#include <vector>

#include "base/table_name.hpp"
#include "check/finding.hpp"
#include "check/side.hpp"
#include "config/settings.hpp"

namespace check {

// Returns those that are there.
std::vector<base::TableName> look_at_captured(const config::Settings& settings, Side& primary, Findings& findings);
void look_at_applied(const config::Settings& settings, Side& primary, Side& standby, Findings& findings);

}  // namespace check
