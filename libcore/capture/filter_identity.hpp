// Whether a table's replica identity carries its filter. Owns the rule, which is stricter than PostgreSQL's in one
// point: a row that enters the condition has to come whole.
#pragma once

#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace capture {

struct IdentityColumn {
  std::string name;
  bool in_identity = false;
  bool in_where = false;
  bool toastable = false;  // may be stored apart, and is then not sent with an update that leaves it as it is
};
// Of a table, or of one partition: PostgreSQL looks at the identity of the partition that a row is in.
struct TableIdentity {
  std::string table;    // quoted
  char identity = 'd';  // pg_class.relreplident
  std::vector<IdentityColumn> columns;
};

// Why it does not carry the filter, and the statement that mends it, as the end of a message; empty where it does.
// Pure.
std::string identity_misfit(const TableIdentity& table, const config::TableFilter& filter);

// Throws Error(data) with that for the table, and for each of its partitions. `condition` is the filter's as PostgreSQL
// keeps it (pg_node_tree as text); empty where it has none.
void check_identity(pg::Session& session, const base::TableName& table, const config::TableFilter& filter,
                    const std::string& condition);

}  // namespace capture
