// Whether a table of the primary can be synced at all. Owns the question to the catalog; knows no publication.
#pragma once

#include <string>
#include <string_view>

#include "base/table_name.hpp"
#include "pg/session.hpp"

namespace capture {

// Throws Error, `config` or `data`, unless the table exists, is an ordinary or partitioned permanent table, and has an
// identity that travels; says what to do.
void check_table(pg::Session& session, const base::TableName& table);

// How lines that begin with "NODE: table TABLE" go on, for who compares and copies, too.
extern const char* const does_not_exist;
std::string has_foreign_part(const base::TableName& table, std::string_view part);

}  // namespace capture
