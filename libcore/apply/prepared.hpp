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

// Whether `second` may be written before `first` is committed: both whole and folded, and no row is in both. Where the
// second needs a unique value that the first frees it waits for that, or is refused and written again; nothing in the
// first can wait for the second, because on the primary it came before.
bool independent(const Prepared& first, const Prepared& second);

}  // namespace apply
