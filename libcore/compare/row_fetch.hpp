// Whole rows by their places, in the order of the places, one in memory at a time. Owns the statement. Valid in the
// session's snapshot only, in which a row stays where it is.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compare/suspects.hpp"
#include "pg/copy_out.hpp"

namespace compare {

class RowFetch {
 public:
  // `columns`: expressions over the table, separated by commas, in the order in which next() gives them.
  RowFetch(pg::Session& session, const std::string& from, const std::string& columns, std::vector<Place> places);

  // Throws Error(bug) where a place has no row.
  const std::vector<change::Value>& next();
  // After the last one; the session is free again. Returns the bytes received.
  uint64_t finish();

 private:
  void ask();

  pg::Session& session_;
  std::string from_;
  std::string columns_;
  std::vector<Place> places_;
  size_t asked_ = 0;
  size_t given_ = 0;
  std::optional<pg::CopyOut> rows_;
  std::vector<change::Value> values_;
  uint64_t bytes_ = 0;
};

}  // namespace compare
