// The first copy of tables: all rows of the primary's at one cut, into the standby's, each table as one stream and one
// transaction, several tables at a time, while the applier stands at that cut; then it goes on from there, and no
// change is missed or written twice. A copy that is broken off leaves the table as it was. Owns the order of that, and
// the indexes that are made anew after the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/table_name.hpp"
#include "config/settings.hpp"

namespace compare {

struct CopyOptions {
  std::string primary;
  std::string node;
  std::vector<base::TableName> tables;
  double limit = 0;  // s that the cut may take; 0: sync_timeout
};

// What became of a table, told as soon as it is so, one at a time, perhaps by another thread.
struct CopyTold {
  std::function<void(const base::TableName&, uint64_t rows)> copied;
  // What is wrong with this table alone (`data`, `no_right`); the others go on. Where it is empty, that is thrown.
  std::function<void(const base::TableName&, const base::Error&)> failed;
};

// What came into the standby's table by the stream since it was found empty is in the copy, too, and replaced by it.
// With `print` nothing is done but to print the SQL. Throws Error(try_later) where the cut is not exact: rows of
// another moment would not fit the stream; Error(data) where tables do not fit. Tables told of as copied stay so.
void copy_tables(const config::Settings& settings, const CopyOptions& options, const CopyTold& told,
                 const std::function<void(std::string_view)>& print);

}  // namespace compare
