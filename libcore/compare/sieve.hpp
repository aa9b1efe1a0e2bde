// filters.program asked about differences: the change that would mend each goes past it as a line, as one of the stream
// would, and what it does not print is meant to differ. Owns the lines on their way and how many of them a run gets;
// starts no program where none is configured. For whoever compares, mends or copies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/kept_lines.hpp"
#include "change/change.hpp"
#include "change/lsn.hpp"
#include "compare/recheck.hpp"
#include "config/settings.hpp"

namespace compare {

class Sieve {
 public:
  // `settings` has to stay. `lsn`: of the lines' operation_id.
  Sieve(const config::Settings& settings, change::Lsn lsn) : settings_(settings), lsn_(lsn) {}

  // Whether there is a program; else everything is kept, and nobody need ask.
  bool active() const { return !settings_.filters.program.empty(); }
  // An insert, an update or a remove; `key` and `row` as change::append_*() has them. Returns its line, valid until the
  // next one.
  std::string_view add(change::EventType type, const change::Relation& relation, std::span<const change::Value> key,
                       std::span<const change::Value> row);
  // Enough for a run: ask before more is added.
  bool full() const;
  // What was added since is not asked for.
  void forget() { chunk_ = {}; }
  // Of each that was added since the last time, whether the program kept it. Throws as capture::Filter::ask().
  std::vector<bool> ask();

  // For each of `which`, indices of the other two, whether its difference is kept; true where there is none.
  std::vector<bool> keep(std::span<const Suspect> suspects, std::span<const Verdict> verdicts,
                         std::span<const size_t> which);

 private:
  const config::Settings& settings_;
  const change::Lsn lsn_;
  capture::FilterChunk chunk_;
  uint64_t added_ = 0;
  std::string line_;
};

// ", N left out by filters.program", after `before`; empty where there are none.
std::string left_out_by_program(uint64_t rows, const char* before = ", ");

}  // namespace compare
