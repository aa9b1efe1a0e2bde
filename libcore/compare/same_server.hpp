// Whether a session is on the primary that the queue is of. Owns the SQL of that, for which no right to replicate is
// needed; writes nothing.
#pragma once

#include "change/change.hpp"
#include "pg/session.hpp"

namespace compare {

// Throws Error(data) for another server, and for another timeline: one that was promoted or restored may have another
// history, and rows of it say nothing about the stream's.
void check_same_server(pg::Session& primary, const change::Source& source);

}  // namespace compare
