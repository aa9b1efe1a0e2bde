// The first copy of a table: all rows of the primary's at a cut, into the standby's, as one stream and one transaction,
// while the applier stands at that cut; then it goes on from there, and no change is missed or written twice. A copy
// that is broken off leaves the table as it was. Owns the order of that, and the indexes that are made anew after the
// rows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/table_name.hpp"
#include "config/settings.hpp"

namespace compare {

struct CopyOptions {
  std::string primary;
  std::string node;
  base::TableName table;
  double limit = 0;  // s that the cut may take; 0: sync_timeout
};

// Returns the rows copied. What came into the standby's table by the stream since it was found empty is in the copy,
// too, and replaced by it. With `print` nothing is done but to print the SQL. Throws Error(try_later) where the cut is
// not exact: rows of another moment would not fit the stream; Error(data) where the tables do not fit.
uint64_t copy_table(const config::Settings& settings, const CopyOptions& options,
                    const std::function<void(std::string_view)>& print);

}  // namespace compare
