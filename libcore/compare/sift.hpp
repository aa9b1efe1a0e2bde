// A part of a table whose sums differ, looked at row by row where filters.program may have wanted it so: a range of an
// integer key, or the rows of some keys, at the comparison's cut. Owns no more than the way there: what differs goes
// past the program, as it would in a comparison of the whole table. For the scrub.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "compare/comparison.hpp"
#include "compare/give_way.hpp"
#include "compare/progress.hpp"
#include "compare/sieve.hpp"

namespace compare {

class Sift {
 public:
  // All of them have to stay.
  Sift(const config::Settings& settings, Comparison& comparison, ProgressMeter& meter, GiveWay& way)
      : settings_(settings), comparison_(comparison), meter_(meter), way_(way) {}

  // How many differences the program does not let through; nothing where one counts, or there is no program. `range`: a
  // condition on the key, empty for the whole table; `rows`: about. Throws as TableDiff::run().
  std::optional<uint64_t> range(const Pairing& pairing, const std::string& range, uint64_t rows);
  // The same of the rows of these keys, as pair.relation.key.
  std::optional<uint64_t> rows(const Pairing& pairing, const std::vector<std::vector<change::Value>>& keys);

 private:
  const config::Settings& settings_;
  Comparison& comparison_;
  ProgressMeter& meter_;
  GiveWay& way_;
};

}  // namespace compare
