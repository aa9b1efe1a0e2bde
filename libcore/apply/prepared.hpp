// A piece made ready for the standby while the standby still works on the one before. Pure; knows no connection.
#pragma once

#include <memory>

#include "apply/fold.hpp"
#include "apply/piece.hpp"

namespace apply {

struct Prepared {
  Piece piece;
  Fold fold;  // empty when the piece goes in order
};

// Folds `piece`, or marks it to go in order where it cannot be folded.
std::unique_ptr<Prepared> prepare(std::unique_ptr<Piece> piece);

// A batch of one piece, folded, with nothing that goes in order.
bool is_whole_and_folded(const Prepared& prepared);

// A batch in two parts.
struct Parts {
  // May be written before the batch before it is committed: no row is in both. A unique value may still be: then one
  // waits for the other, or is refused, and both are written again, one by one.
  Fold ahead;
  Fold after;  // the rest
};

// `second` after `first`, both whole and folded. Unless `overlap`, all of it comes after.
Parts parts_of(const Prepared& first, const Prepared& second, bool overlap);

}  // namespace apply
