// A table as both servers have it: its shape on each, and the pair that is compared. Owns the reading of both, and the
// failure that is the table's own: whoever looks at several tables goes on with the others, and ends with it.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/table_name.hpp"
#include "compare/table_pair.hpp"
#include "compare/table_shape.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

struct Pairing {
  TableShape primary;
  TableShape standby;
  TablePair pair;
};

// The two sides of a table cannot be compared, or one may not be read: `config`, `no_right` or `data`.
class NotComparable : public base::Error {
 public:
  NotComparable(const base::TableName& table, const base::Error& why)
      : Error(why.kind(), why.what()), table_(table.text()) {}
  const std::string& table() const { return table_; }

 private:
  std::string table_;
};

// Reads both catalogs. Throws NotComparable, and as sessions do.
Pairing read_pairing(pg::Session& primary, pg::Session& standby, const base::TableName& table,
                     const config::Settings& settings);

// The tables of a run that cannot be compared, by name. The run goes on without them, and ends with them.
class NotCompared {
 public:
  // Tells it at once, since what follows may take hours; each table once.
  void add(const NotComparable& table);
  bool has(const base::TableName& table) const;
  const std::vector<NotComparable>& tables() const { return tables_; }
  // Throws what there is, as one line; returns where that is nothing. To be called when all others are done.
  void end() const;

 private:
  std::vector<NotComparable> tables_;
};

}  // namespace compare
