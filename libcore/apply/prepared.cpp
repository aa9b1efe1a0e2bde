#include "apply/prepared.hpp"

#include <utility>

namespace apply {
namespace {

bool share_a_key(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (*x == *y) return true;
    *x < *y ? ++x : ++y;
  }
  return false;
}

}  // namespace

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

bool is_whole_and_folded(const Prepared& prepared) {
  return prepared.piece.ends_batch && !prepared.piece.in_order && prepared.piece.truncates.empty() &&
         prepared.fold.in_order.empty();
}

bool independent(const Prepared& first, const Prepared& second) {
  if (!is_whole_and_folded(first) || !is_whole_and_folded(second)) return false;
  for (const TableEffect& a : first.fold.tables)
    for (const TableEffect& b : second.fold.tables)
      if (a.relation->text == b.relation->text && (a.relation != b.relation || share_a_key(a.keys, b.keys)))
        return false;
  return true;
}

}  // namespace apply
