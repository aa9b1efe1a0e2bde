#include "apply/prepared.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace apply {
namespace {

// Hashes of the keys that both touch, sorted.
std::vector<uint64_t> shared_keys(const TableEffect& a, const TableEffect& b) {
  std::vector<uint64_t> out;
  std::set_intersection(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(), std::back_inserter(out));
  return out;
}

bool is_one_of(const std::vector<uint64_t>& hashes, std::span<const change::Value> key) {
  return std::binary_search(hashes.begin(), hashes.end(), key_hash(key));
}

// Moves the rows whose keys are in `shared` from `all` to a part of their own.
TableEffect take_shared(TableEffect& all, const std::vector<uint64_t>& shared) {
  TableEffect out;
  out.relation = all.relation;
  std::vector<change::Value> key(all.relation->key.size());
  const auto move = [](auto& from, auto& to, const auto& is_shared) {
    const auto first =
        std::stable_partition(from.begin(), from.end(), [&](const auto& row) { return !is_shared(row); });
    to.assign(first, from.end());
    from.erase(first, from.end());
  };
  const auto by_row = [&](std::span<const change::Value> row) {
    for (size_t i = 0; i < key.size(); ++i) key[i] = row[all.relation->key[i]];
    return is_one_of(shared, key);
  };
  move(all.deletes, out.deletes, [&](const DeletedRow& row) { return is_one_of(shared, row.key); });
  for (UpdateGroup& group : all.updates) {
    UpdateGroup part{group.set, {}, group.whole};
    move(group.rows, part.rows, by_row);
    if (!part.rows.empty()) out.updates.push_back(std::move(part));
  }
  std::erase_if(all.updates, [](const UpdateGroup& group) { return group.rows.empty(); });
  move(all.inserts, out.inserts, by_row);
  return out;
}

}  // namespace

std::unique_ptr<Prepared> prepare(std::unique_ptr<Piece> piece) {
  auto out = std::make_unique<Prepared>();
  out->piece = std::move(*piece);
  if (out->piece.in_order) return out;
  out->fold = fold(out->piece);
  if (!out->fold.tables.empty() || out->fold.in_order.empty()) return out;
  out->fold = {};
  out->piece.in_order = true;
  return out;
}

bool is_whole_and_folded(const Prepared& prepared) {
  return prepared.piece.ends_batch && !prepared.piece.in_order && prepared.piece.truncates.empty() &&
         prepared.fold.in_order.empty();
}

Parts parts_of(const Prepared& first, const Prepared& second, bool overlap) {
  Parts out;
  for (const TableEffect& effect : second.fold.tables) {
    const auto before = std::find_if(first.fold.tables.begin(), first.fold.tables.end(), [&](const TableEffect& other) {
      return other.relation->text == effect.relation->text;
    });
    const bool touched = before != first.fold.tables.end();
    if (!overlap || (touched && before->relation != effect.relation)) {  // another shape of the table
      out.after.tables.push_back(effect);
      continue;
    }
    out.ahead.tables.push_back(effect);
    if (!touched) continue;
    const std::vector<uint64_t> shared = shared_keys(*before, effect);
    if (shared.empty()) continue;
    TableEffect& ahead = out.ahead.tables.back();
    TableEffect after = take_shared(ahead, shared);
    // A key may be spelt in two ways (citext, 1.0 and 1.00): no delete may come after an insert that it could meet.
    if (!after.deletes.empty()) {
      after.inserts.insert(after.inserts.end(), ahead.inserts.begin(), ahead.inserts.end());
      ahead.inserts.clear();
    }
    out.after.tables.push_back(std::move(after));
  }
  return out;
}

}  // namespace apply
