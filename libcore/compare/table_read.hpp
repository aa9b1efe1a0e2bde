// A table as one side's statements name it, with what is known of its size. For whoever reads rows of a pair. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "compare/table_pair.hpp"

namespace compare {

struct TableRead {
  std::string from;
  std::string where;  // empty: every row
  double rows = 0;    // estimated
  uint64_t pages = 0;
  bool ranges = false;  // of TIDs are to be had
};

TableRead primary_read(const TablePair& pair, const TableShape& primary);
TableRead standby_read(const TablePair& pair, const TableShape& standby);
// The key's column, quoted; of a pair with integer_key.
std::string key_column(const TablePair& pair);

}  // namespace compare
