// How a table is copied: which columns, in which of COPY's formats, and which of the standby's indexes are made after
// the rows. Reads the catalogs of both sides, writes nothing.
#pragma once

#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

struct CopyPlan {
  std::string rows;  // the standby's table as FROM has it: without tables that inherit from it
  std::string out;   // COPY … TO STDOUT
  std::string in;    // COPY … FROM STDIN
  bool binary = false;
  std::string truncate;           // statement; empty: its new rows may not be written as frozen, see copy_plan.cpp
  std::vector<std::string> drop;  // statements, for indexes
  std::vector<std::string> create;
  std::string slow;  // what the role lacks to make the indexes after the rows, too; empty: nothing
  bool shuts_out_readers() const { return !drop.empty() || !truncate.empty(); }
};

// `as_text`: rows are to be looked at on their way. Throws Error(data), with what to do, where the standby has no such
// table or lacks a column.
CopyPlan plan_copy(pg::Session& primary, pg::Session& standby, const base::TableName& table,
                   const config::TableFilter* filter, bool as_text);

}  // namespace compare
