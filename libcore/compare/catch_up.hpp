// The queue brought to an LSN: by the capture that runs, or by a pass of our own where none does. Owns nothing; runs
// what `capture --until-lsn | queue put` runs.
#pragma once

#include <string>

#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

// Returns when everything that commits before `lsn` is durable in the queue. `session`: on the primary, no transaction
// open. Throws base::Transient(try_later) after `deadline` (of base::monotonic_seconds()), and as capture::run and
// spool::put do.
void bring_queue_to(const config::Settings& settings, const std::string& primary, pg::Session& session, change::Lsn lsn,
                    double deadline);

}  // namespace compare
