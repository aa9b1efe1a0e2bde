// A piece made ready for the standby while the standby still works on the one before: folded, and its rows in COPY's
// text form. Pure; knows no connection.
#pragma once

#include <string>
#include <vector>

#include "apply/fold.hpp"
#include "apply/piece.hpp"

namespace apply {

// The rows of one table's effect as COPY lines.
struct TableRows {
  std::string staged;  // statement number, then the columns: 0 deletes by key, n updates as updates[n - 1] says
  uint64_t staged_rows = 0;
  std::string inserts;  // the columns
};

struct Prepared {
  Piece piece;
  Fold fold;                    // empty when the piece goes in order
  std::vector<TableRows> rows;  // one for each of fold.tables
};

// Folds `piece`, or marks it to go in order where it cannot be folded.
std::unique_ptr<Prepared> prepare(std::unique_ptr<Piece> piece);

}  // namespace apply
