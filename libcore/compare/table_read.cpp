#include "compare/table_read.hpp"

#include "pg/quote.hpp"

namespace compare {

TableRead primary_read(const TablePair& pair, const TableShape& primary) {
  return {pair.primary_from, pair.primary_where, primary.rows, primary.pages, primary.ranges};
}

TableRead standby_read(const TablePair& pair, const TableShape& standby) {
  return {pair.standby_from, "", standby.rows, standby.pages, standby.ranges};
}

std::string key_column(const TablePair& pair) {
  return pg::quote_identifier(pair.relation.columns[pair.relation.key[0]].name);
}

}  // namespace compare
