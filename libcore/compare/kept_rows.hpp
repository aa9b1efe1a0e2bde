// Rows of a first copy past filters.program: each as the insert that it would be in the stream. Owns the way from
// COPY's text format to lines and back, and the count of what stays away. For one table's copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "change/change.hpp"
#include "compare/sieve.hpp"

namespace compare {

class KeptRows {
 public:
  // `relation` has the columns that come, in their order.
  KeptRows(const config::Settings& settings, change::Lsn lsn, change::Relation relation)
      : sieve_(settings, lsn), relation_(std::move(relation)) {}

  // Those of some whole rows that the program keeps, with their newlines. Throws as Sieve::ask().
  std::string of(std::string_view rows);
  uint64_t left_out() const { return left_out_; }

 private:
  void ask(std::string_view rows, std::string& out);

  Sieve sieve_;
  const change::Relation relation_;
  std::vector<size_t> ends_;  // of the rows that it is to be asked about
  size_t begin_ = 0;          // of the first of them
  uint64_t left_out_ = 0;
};

}  // namespace compare
