// A session that keeps a snapshot of one side open, and ACCESS SHARE locks on the tables, so that nothing is truncated
// or rewritten under who looks at it. Owns the session; writes nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

// Begins REPEATABLE READ, READ ONLY and locks those of `tables` that are there; no snapshot is taken yet. A lock is
// waited for a second and then asked for anew, so that who queues behind us goes on, until `deadline` (of
// base::monotonic_seconds()): then it throws base::Transient(try_later).
std::unique_ptr<pg::Session> open_holder(const config::Settings& settings, const config::Node& node,
                                         const std::vector<base::TableName>& tables, double deadline);

// Takes the snapshot, if none is imported, and gives it a name for other sessions.
std::string export_snapshot(pg::Session& holder);

// Sessions that wait for a table that the backend `pid` has locked, as a line; empty: none. Who waits for its snapshot
// to end (CREATE INDEX CONCURRENTLY) keeps nobody else. `session` is another one on its server.
std::string waiting_for(pg::Session& session, const std::string& pid);

}  // namespace compare
