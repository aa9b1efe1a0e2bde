// The rights that capture's role needs on the primary: REPLICATION, SELECT, and a publication that fits or the right to
// make it. Owns the questions and the statements; changes nothing on the server.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "pg/session.hpp"

namespace capture {

// Throws base::MissingRights with all that is missing, Error as publication.hpp tells, where `warn` is, too. The tables
// have to be there.
void check_rights(pg::Session& session, const config::Settings& settings, const std::string& publication, bool warn);

// Throws Error(no_right) where row-level security would hide rows of a synced table from the role's own reads.
void check_row_security(pg::Session& session, const config::Settings& settings);

}  // namespace capture
