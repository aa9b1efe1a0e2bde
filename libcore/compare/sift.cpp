#include "compare/sift.hpp"

#include <algorithm>
#include <span>

#include "compare/alike.hpp"
#include "compare/row_look.hpp"
#include "compare/table_diff.hpp"

namespace compare {
namespace {

// Their values are held, on both sides.
constexpr size_t batch_rows = 1000;

}  // namespace

std::optional<uint64_t> Sift::range(const Pairing& pairing, const std::string& range, uint64_t rows) {
  Sieve sieve(settings_, comparison_.cut().lsn());
  if (!sieve.active()) return {};
  TableDiff diff(comparison_.primary(), comparison_.standby(), pairing.pair, comparison_.digest(), nullptr, UINT64_MAX,
                 meter_, {.way = &way_, .sieve = &sieve});
  if (!range.empty()) diff.only(range, rows);
  const TableResult result = diff.run(pairing.primary, pairing.standby);
  return result.equal() ? std::optional(result.left_out) : std::nullopt;
}

std::optional<uint64_t> Sift::rows(const Pairing& pairing, const std::vector<std::vector<change::Value>>& keys) {
  Sieve sieve(settings_, comparison_.cut().lsn());
  if (!sieve.active()) return {};
  RowLook primary(comparison_.primary().session(), should_end);
  RowLook standby(comparison_.standby().session(), should_end);
  const TablePair& pair = pairing.pair;
  uint64_t left_out = 0;
  for (size_t from = 0; from < keys.size(); from += batch_rows) {
    way_.look();
    std::vector<RowKey> asked;
    std::vector<Suspect> suspects;
    for (size_t i = from; i < std::min(from + batch_rows, keys.size()); ++i) {
      asked.emplace_back(keys[i]);
      suspects.push_back({&pair.relation, keys[i]});
    }
    std::vector<SeenRow> there = primary.find(pair.relation, asked, pair.primary_where);
    std::vector<SeenRow> here = standby.find(pair.relation, asked, "");
    std::vector<Verdict> verdicts(asked.size());
    std::vector<size_t> differ;
    for (size_t i = 0; i < asked.size(); ++i) {
      verdicts[i] = {Verdict::Kind::differs, std::move(there[i]), std::move(here[i])};
      if (verdicts[i].primary.copies + verdicts[i].standby.copies == 0 || compares_alike(pair, verdicts[i])) continue;
      differ.push_back(i);
    }
    const std::vector<bool> kept = sieve.keep(suspects, verdicts, differ);
    if (std::ranges::find(kept, true) != kept.end()) return {};
    left_out += differ.size();
  }
  return left_out;
}

}  // namespace compare
