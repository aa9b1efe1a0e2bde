#include "apply/prepared.hpp"

#include <utility>

namespace apply {

std::unique_ptr<Prepared> prepare(std::unique_ptr<Piece> piece) {
  auto out = std::make_unique<Prepared>();
  out->piece = std::move(*piece);
  if (out->piece.in_order) return out;
  out->fold = fold(out->piece);
  if (out->fold.possible) return out;
  out->fold = {};
  out->piece.in_order = true;
  return out;
}

}  // namespace apply
