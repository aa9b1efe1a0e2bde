#include "config/nearest.hpp"

#include <algorithm>

namespace config {
namespace {

// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other, case aside.
size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return low(x) == low(y) || (x == '-' && y == '_') || (x == '_' && y == '-');
  };
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 100) return {};  // no typing error; and the table above is quadratic
  std::string best;
  size_t least = 0;
  for (const std::string& candidate : candidates) {
    size_t far = distance(word, candidate);
    const size_t shorter = std::min(word.size(), candidate.size());
    // A third of the word wrong is the most that still reads as a slip.
    size_t bound = std::max<size_t>(1, (std::max(word.size(), candidate.size()) + 1) / 3);
    if (shorter >= 4 && (word.find(candidate) != std::string_view::npos || candidate.find(word) != std::string::npos)) {
      far = std::min(far, bound);
    }
    if (far <= bound && (best.empty() || far < least)) {
      best = candidate;
      least = far;
    }
  }
  return best;
}

}  // namespace config
