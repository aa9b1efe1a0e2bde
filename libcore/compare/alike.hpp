// Whether two rows that are there as texts count as the same: as the digests take them, column by column. Pure. For
// who looks at single rows of a pair.
#pragma once

#include "compare/recheck.hpp"
#include "compare/table_pair.hpp"

namespace compare {

// `verdict` has both rows, as pair.relation.columns.
bool compares_alike(const TablePair& pair, const Verdict& verdict);

}  // namespace compare
