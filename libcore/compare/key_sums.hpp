// A part of a table on both sides at once, as a count and a sum of digests each: rows by their keys, or a range of an
// integer key. Owns the statements, and that they go through the key's index where that is quicker; the answer is
// exact at the comparison's cut. For the scrub.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "compare/bucket_sums.hpp"
#include "compare/comparison.hpp"
#include "compare/give_way.hpp"

namespace compare {

// What a table's rows are summed up with, as one bucket.
Recipe recipe_of(const Comparison& comparison, const Pairing& pairing);
// The condition for keys from `from` to before `to`; without one as far as there are any.
std::string range_of_keys(const TablePair& pair, std::optional<int64_t> from, std::optional<int64_t> to);

// Whether the rows of these keys, as pair.relation.key, are the same, be they there or not. False also where a side
// cannot ask for them.
bool same_rows(Comparison& comparison, const Pairing& pairing, const std::vector<std::vector<change::Value>>& keys,
               GiveWay& way);

struct RangeSums {
  Sum primary;
  Sum standby;
};
// Of such a range. Throws Error(try_later) at a stop.
RangeSums sum_range(Comparison& comparison, const Pairing& pairing, std::optional<int64_t> from,
                    std::optional<int64_t> to, GiveWay& way);

}  // namespace compare
