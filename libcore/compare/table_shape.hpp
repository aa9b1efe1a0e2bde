// A table as the catalog of one server has it, as far as a comparison needs it. Owns the SQL that reads it; judges
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "pg/session.hpp"

namespace compare {

struct ShapeColumn {
  std::string name;
  std::string type;      // format_type(oid, NULL), as the change format names it
  std::string declared;  // with its length or scale
  std::string base;      // format_type(oid, -1) of what it is under all domains
  bool is_domain = false;
  bool is_enum = false;
  bool not_null = false;
  bool generated = false;
  std::string collation;  // quoted; empty: none, or the database's
};

// A unique index that is valid, immediate and covers every row.
struct ShapeKey {
  std::vector<std::string> columns;
  bool primary = false;
  bool identity = false;  // the replica identity's
  bool nullable = false;  // a column of it
  bool deterministic = true;
};

struct TableShape {
  std::string node;
  base::TableName table;
  bool exists = false;
  // Changes with whatever may change its rows outside the stream: made anew, rewritten or truncated, a column dropped
  // and added, a partition detached and attached. A VACUUM FULL changes it, too.
  std::string identity;
  char kind = 'r';  // pg_class.relkind
  bool row_security = false;
  std::string foreign_part;  // one of its partitions that is a foreign table, as SQL names it; else empty
  bool readable = false;
  std::string user;  // quoted
  std::vector<ShapeColumn> columns;
  std::vector<ShapeKey> keys;
  double rows = 0;      // estimated
  uint64_t pages = 0;   // of its largest leaf
  bool ranges = false;  // may be read by ranges of pages
};

TableShape read_shape(pg::Session& session, const base::TableName& table);
// Whether the table has other partitions now than in the session's snapshot.
bool parts_changed(pg::Session& session, const base::TableName& table);

}  // namespace compare
