#include "compare/suspect.hpp"

#include <algorithm>

#include "change/writer.hpp"

namespace compare {
namespace {

bool less(const Suspect& a, const Suspect& b) {
  if (a.relation != b.relation) return a.relation < b.relation;
  return std::ranges::lexicographical_compare(a.key, b.key, [](const change::Value& x, const change::Value& y) {
    return x.kind != y.kind ? x.kind < y.kind : x.text() < y.text();
  });
}

}  // namespace

void drop_doubles(std::vector<Suspect>& rows) {
  std::sort(rows.begin(), rows.end(), less);
  const auto last = std::unique(rows.begin(), rows.end(),
                                [](const Suspect& a, const Suspect& b) { return !less(a, b) && !less(b, a); });
  rows.erase(last, rows.end());
}

std::string key_text(const Suspect& row) {
  std::string out;
  change::append_key(out, *row.relation, row.key);
  out.erase(0, out.find('{'));
  return out;
}

}  // namespace compare
