// A snapshot of the primary at a known LSN, by a temporary logical slot that is gone again at once. Owns the SQL and
// the protocol of that, and of saying who keeps a slot waiting.
#pragma once

#include <string>

#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

// A transaction that writes on the server: a slot's snapshot waits for its end.
struct Writer {
  std::string xid;   // empty: there is none
  std::string text;  // "pid 4711, open for 62 s, idle in transaction"
};
// The oldest one but `session` itself.
Writer oldest_writer(pg::Session& session);
bool still_writes(pg::Session& session, const Writer& writer);

// Imports the snapshot of a new slot into `holder`, which has begun a REPEATABLE READ transaction and run nothing in it
// but LOCK TABLE. The snapshot shows exactly what commits before the LSN that is returned: a slot's consistent point is
// the end of the last record read, so a commit record lies before it or begins at or after it. Zero when that took
// longer than `seconds`; then, and whenever it throws, no slot stays. Throws Error(no_right) and others as sessions do.
change::Lsn import_slot_snapshot(const config::Settings& settings, const config::Node& primary, pg::Session& holder,
                                 double seconds);

}  // namespace compare
