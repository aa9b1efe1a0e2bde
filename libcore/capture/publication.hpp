// The publication of a link: which tables, rows and columns the primary's server sends. Owns its SQL, the check of
// filters against the server and the replica identity that they need; knows no slot and no spool.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"
#include "pg/session.hpp"

namespace capture {

bool publication_exists(pg::Session& session, const std::string& name);

// Makes the publication, or makes it fit; true when there was none. Warns of what changed for rows that are there.
// Throws, with nothing changed, Error(config) for a filter that the server refuses, Error(data) naming the ALTER TABLE
// where a table's replica identity does not carry its filter: PostgreSQL would refuse the users' own updates.
bool make_publication(pg::Session& session, const config::Settings& settings, const std::string& name);

// The statements by which others have to make it fit, where the role may not: empty where it fits, or the role may.
// Throws as make_publication() does, but for what PostgreSQL knows only of publications: that it tells whoever runs
// them. `warn`: of what changes for rows that are there, for who is about to let them be run.
std::vector<std::string> publication_by_others(pg::Session& session, const config::Settings& settings,
                                               const std::string& name, bool warn);

// Throws Error(data) when the publication there is no longer what the settings ask for, or the identities do not fit
// it. Marks tables that were dropped and made again, or whose place in it was.
void check_publication(pg::Session& session, const config::Settings& settings, const std::string& name);

}  // namespace capture
