// Whether a table of the primary can be synced at all. Owns the question to the catalog; knows no publication.
#pragma once

#include "base/table_name.hpp"
#include "pg/session.hpp"

namespace capture {

// Throws Error, `config` or `data`, unless the table exists, is an ordinary or partitioned permanent table, and has an
// identity that travels; says what to do.
void check_table(pg::Session& session, const base::TableName& table);

}  // namespace capture
