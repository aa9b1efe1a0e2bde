// A table of the primary and its namesake on the standby: what of the two is compared, and how. Owns what counts as the
// same table, which differences of declaration do no harm, and every refusal of the others. Pure.
#pragma once

#include <string>
#include <vector>

#include "change/change.hpp"
#include "compare/row_digest.hpp"
#include "compare/table_shape.hpp"
#include "config/settings.hpp"

namespace compare {

struct TablePair {
  base::TableName table;
  change::Relation relation;          // as change lines have it; without generated columns and what a filter leaves out
  std::vector<DigestColumn> columns;  // as relation.columns: what is compared, on both sides
  std::vector<bool> mixed;        // as relation.columns: declared otherwise there, so values compare as in `columns`
  std::vector<DigestColumn> key;  // as relation.key; empty: rows are compared as a multiset
  bool integer_key = false;       // of one integer column
  // Each side's table as FROM has it, without tables that inherit from it, and its condition, if there is one. A filter
  // is the primary's alone: the standby has what it lets through, and nothing else.
  std::string primary_from;
  std::string standby_from;
  std::string primary_where;
  std::vector<std::string> notes;  // harmless differences of declaration, a line each
};

// Throws Error: `config` for a table that the primary does not have or a filter that does not fit it, `no_right`,
// `data` for a standby's table that cannot be compared.
TablePair pair_tables(const TableShape& primary, const TableShape& standby, const config::TableFilter* filter);

}  // namespace compare
