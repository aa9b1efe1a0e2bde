// Rows named by their keys of which it is certain that both sides have the same, found without their values: each
// server adds up digests at one cut for all of them, so that only sums travel. Owns how many are asked for in one
// statement; writes nothing. For row_proof, which looks at the others one by one.
#pragma once

#include <string>
#include <vector>

#include "compare/recheck.hpp"
#include "config/settings.hpp"

namespace compare {

struct EqualRows {
  bool exact = false;       // there was an exact cut
  std::vector<bool> equal;  // one for each row asked about; false: not known
};

// `rows`: table by table. Nothing is known of rows of a table without a key or one that cannot be compared, of any
// where no exact cut can be had, and of some next to one that differs. Throws as Comparison, Error(try_later) at a stop
// and where somebody waits for one of the tables.
EqualRows equal_rows(const config::Settings& settings, const std::string& node, const std::vector<Suspect>& rows);

}  // namespace compare
