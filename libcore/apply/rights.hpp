// The rights that apply's role needs on the standby: DML on the synced tables and what belongs to them, temporary
// tables, its own tables. Owns the questions and the statements; changes nothing.
#pragma once

#include "config/settings.hpp"
#include "pg/rights.hpp"
#include "pg/session.hpp"

namespace apply {

// All that is missing. Tables that are not there are passed over: what they lack a run tells.
pg::Rights missing_rights(pg::Session& session, const config::Settings& settings);
// Throws base::MissingRights where that is something; warns where apply may work, but slower than it could.
void check_rights(pg::Session& session, const config::Settings& settings);

}  // namespace apply
