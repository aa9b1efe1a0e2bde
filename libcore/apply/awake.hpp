// What of a table of the standby's own is awake in a session that may not set session_replication_role: triggers and
// rules that would do again, or do to the primary's rows, what the primary's did already. Asks the catalog only.
#pragma once

#include <string>
#include <vector>

#include "pg/session.hpp"

namespace apply {

// Whether the role may set it, and the statement by which that is granted; empty before PostgreSQL 15, where only
// superusers may.
bool may_be_replica(pg::Session& session);
std::string replica_grant(pg::Session& session);

// The statements that put to sleep what is awake on the table, or on a partition of it; empty where nothing is. ENABLE
// ALWAYS fires either way, and what is disabled never does.
std::vector<std::string> sleep_statements(pg::Session& session, const std::string& table_oid);

}  // namespace apply
