// The standby's own record of how far it is: one row a slot in pgtandem.progress, changed in the transaction of the
// batch it speaks of. It alone decides where reading starts. Owns that table and its SQL.
#pragma once

#include <optional>
#include <string>

#include "apply/piece.hpp"
#include "change/change.hpp"
#include "pg/session.hpp"

namespace apply {

// Throws Error(config) when the server has the slot itself.
void refuse_primary(pg::Session& session, const change::Source& source);
// Makes the schema, the table and the row for `source` (at its beginning), or finds them made. Throws Error(data) when
// the standby follows another source under this slot's name.
void init_progress(pg::Session& session, const change::Source& source);
// Notes in the open transaction that an operation out of quarantine is written; false where that was noted already.
bool note_retried(pg::Session& session, const change::Source& source, const std::string& operation_id);
// Removes the row, and table and schema when it was the last.
void drop_progress(pg::Session& session, const std::string& slot);

// Where the standby is. Throws Error(data), with the way out, when it does not follow `source`.
// `to_go_on`: waits for a commit that is still under way there, of an apply that was killed, and takes its outcome.
enum class Reading { to_look, to_go_on };
Position read_progress(pg::Session& session, const change::Source& source, Reading reading = Reading::to_look);

// Keeps the row where it is until the end of the open transaction, so that no apply gets on meanwhile. Throws
// Error(try_later) when it is not at `at`.
void pin_progress(pg::Session& session, const change::Source& source, change::Lsn at);

// Moves the row from `from` to `to` in the running transaction. Throws Error(try_later) when it is not at `from`:
// somebody else applies too.
void advance_progress(pg::Session& session, const change::Source& source, const Position& from, const Position& to);

// Returns when everything that was committed on the standby before the call survives a crash of it.
void flush_progress(pg::Session& session, const change::Source& source);

}  // namespace apply
