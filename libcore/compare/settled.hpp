// What a comparison without an exact cut found, until it is certain: its candidates wait here, and are looked at again
// (recheck.hpp) when the comparison has let go of its snapshots and locks. Only what is proven becomes change lines.
// Owns the candidates, in a file where they are many, and what counts as proven: a row that differs in two looks one
// after the other, while neither side wrote it in between. Then the standby stood, at an LSN in between, on another row
// than the primary had all the while; one look does not tell a row that came and went.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "compare/change_lines.hpp"
#include "compare/paused.hpp"
#include "compare/recheck.hpp"
#include "compare/sieve.hpp"
#include "compare/spill.hpp"
#include "compare/table_pair.hpp"
#include "config/settings.hpp"

namespace compare {

struct Outcome {
  uint64_t changed = 0;
  uint64_t missing = 0;
  uint64_t extra = 0;
  uint64_t unsettled = 0;        // written too often to be sure of
  uint64_t left_out = 0;         // by filters.program
  std::optional<Paused> paused;  // the table was, meanwhile; then it is not known what differs
};

class Settled {
 public:
  // `tables`: how many will be begun. `node`: the standby.
  Settled(const config::Settings& settings, std::string node, size_t tables);

  // `pair` has to stay.
  void begin_table(const TablePair& pair);
  // A candidate of the table begun last, as relation.key: under identity full a whole row, each kind of row once.
  void add(std::span<const change::Value> key);

  // Of the table that was begun as number `table`. `lines` may be nullptr. Throws base::Transient(try_later) where the
  // applier cannot be held, after the retries, Error(try_later) where a stop was requested, and as sessions do.
  Outcome settle(size_t table, Sieve& sieve, ChangeLines* lines);

 private:
  struct Open;
  void take(const TablePair& pair, std::string_view keys, size_t rows, Sieve& sieve, ChangeLines* lines,
            Outcome& outcome);
  std::vector<Verdict> look(std::span<const Suspect> suspects);

  const config::Settings& settings_;
  const std::string node_;
  std::vector<const TablePair*> pairs_;
  Spill waiting_;  // a part a table
  std::string record_;
};

}  // namespace compare
