// Tries a table's filter on the primary, before anything is made of it, and leaves the server as it was. Owns what
// PostgreSQL says of it: every failure names the filter. Knows no publication but its own trial.
#pragma once

#include <string>

#include "base/table_name.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace capture {

constexpr int has_filters = 150000;  // the version from which a publication has conditions and column lists

// By a publication of the one table, rolled back. Throws Error(config) for what the server refuses, Error(data) where
// the table's replica identity does not carry it; `name` is the link's.
void try_filter(pg::Session& session, const config::Settings& settings, const std::string& name,
                const base::TableName& table, const config::TableFilter& filter);

// The same for a role that may make no publication; needs TEMPORARY. What only a publication refuses (a function that
// is not built in, say) is told to whoever makes it; that the identity carries the condition has to be known before, or
// the primary's own users would be refused.
void try_filter_by_view(pg::Session& session, const base::TableName& table, const config::TableFilter& filter);

// The condition of a table in a publication, as PostgreSQL keeps it: a tree with each column's number.
std::string published_condition(pg::Session& session, const std::string& name, const base::TableName& table);

}  // namespace capture
