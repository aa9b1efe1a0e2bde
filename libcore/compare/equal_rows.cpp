#include "compare/equal_rows.hpp"

#include <algorithm>

#include "compare/comparison.hpp"
#include "compare/give_way.hpp"
#include "compare/key_sums.hpp"

namespace compare {
namespace {

// In one statement. Where one row of them differs nothing is known of the others.
constexpr size_t batch_rows = 1000;

// The stream may have a table's columns in another order, or others than there are now.
bool has_key_of(const change::Relation& relation, const change::Relation& stream) {
  return std::ranges::equal(relation.key, stream.key,
                            [&](uint16_t a, uint16_t b) { return relation.columns[a].name == stream.columns[b].name; });
}

}  // namespace

EqualRows equal_rows(const config::Settings& settings, const std::string& node, const std::vector<Suspect>& rows) {
  EqualRows out{false, std::vector<bool>(rows.size())};
  Asked asked{.node = node, .tables = {}, .rechecks = true};
  for (const Suspect& row : rows)
    if (asked.tables.empty() || asked.tables.back() != row.relation->text) asked.tables.push_back(row.relation->text);
  Comparison comparison(settings, asked);
  out.exact = comparison.cut().exact();
  GiveWay way(comparison.cut());
  for (size_t from = 0, to = 0; from < rows.size(); from = to) {
    const change::Relation& stream = *rows[from].relation;
    while (to < rows.size() && rows[to].relation == &stream) ++to;
    const auto pairing =
        std::ranges::find(comparison.pairings(), stream.table, [](const Pairing& p) { return p.pair.table; });
    if (pairing == comparison.pairings().end() || pairing->pair.key.empty() || !out.exact ||
        !has_key_of(pairing->pair.relation, stream))
      continue;
    for (size_t first = from; first < to; first += batch_rows) {
      const size_t last = std::min(first + batch_rows, to);
      std::vector<std::vector<change::Value>> keys;
      for (size_t i = first; i < last; ++i) keys.push_back(rows[i].key);
      const bool same = same_rows(comparison, *pairing, keys, way);
      std::fill(out.equal.begin() + first, out.equal.begin() + last, same);
    }
    comparison.check_parts(pairing->pair.table);
  }
  return out;
}

}  // namespace compare
