// The rights that apply's role needs on the standby: DML on the synced tables and what belongs to them, temporary
// tables, its own tables. Owns the questions and the statements; changes nothing.
#pragma once

#include "config/settings.hpp"
#include "pg/session.hpp"

namespace apply {

// Throws base::MissingRights with all that is missing. Tables that are not there are passed over: what they lack a run
// tells.
void check_rights(pg::Session& session, const config::Settings& settings);

}  // namespace apply
