// A TRUNCATE of the primary's on the standby, inside the transaction of its batch. Owns its statements, and what is
// done where the standby refuses them: it empties its tables another way, or says which table has to wait.
#pragma once

#include "apply/incidents.hpp"
#include "apply/piece.hpp"
#include "apply/target.hpp"
#include "pg/session.hpp"

namespace apply {

// Empties the tables that are named, and no other. What was held in quarantine of them goes. Throws Misfit for a table
// that is not there, has another shape, or cannot be emptied; pg::SqlError where the stream has told no shape of it.
void truncate(pg::Session& session, Targets& targets, Incidents& incidents, const Truncate& what);

}  // namespace apply
