// One table compared, from the first pass to the rows that differ. Owns the order of the passes and what is counted;
// prints nothing itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "compare/change_lines.hpp"
#include "compare/give_way.hpp"
#include "compare/progress.hpp"
#include "compare/settled.hpp"
#include "compare/side.hpp"
#include "compare/sieve.hpp"
#include "compare/suspects.hpp"
#include "compare/table_pair.hpp"

namespace compare {

struct TableResult {
  uint64_t primary_rows = 0;
  uint64_t standby_rows = 0;
  uint64_t changed = 0;
  uint64_t missing = 0;  // on the standby
  uint64_t extra = 0;
  uint64_t unsettled = 0;  // it is not known whether they differ; see settled.hpp
  uint64_t left_out = 0;   // differ, and are meant to: filters.program does not let their changes through
  bool copied = false;     // a copy line stands for all that is missing
  bool equal() const { return changed + missing + extra == 0; }
};
// "public.images  different  1500000 rows, 1499998 on the standby: 900 changed, 50 missing, 52 extra"
std::string text_of(const std::string& table, const TableResult& result);

// What a comparison may have beside it.
struct Beside {
  GiveWay* way = nullptr;      // asked while rows are read
  Settled* settled = nullptr;  // takes what differs, in the place of lines: the cut is not exact
  Sieve* sieve = nullptr;      // says which differences count; not asked where `settled` takes them
};

class TableDiff {
 public:
  // `lines` may be nullptr: then differences are only counted. `copy_above`: an empty standby's table of more rows than
  // that becomes a copy line.
  TableDiff(Side& primary, Side& standby, const TablePair& pair, Digest digest, ChangeLines* lines, uint64_t copy_above,
            ProgressMeter& meter, const Beside& beside = {});

  // Before run(): of rows that fit this condition on the key only, about so many; they are read through its index.
  void only(const std::string& range, uint64_t rows);
  TableResult run(const TableShape& primary, const TableShape& standby);

 private:
  bool wants_rows() const { return lines_ != nullptr || beside_.settled != nullptr || sieve_ != nullptr; }
  void meanwhile(uint64_t rows);
  pg::Result ask(Side& side, const std::string& sql) const;
  bool copy_whole();
  void plan();
  std::vector<uint64_t> sum_up();
  void examine(std::vector<uint64_t> dirty);
  void take(const Differences& differences);
  void take_extra(const std::vector<Found>& rows);
  void take_changed(const std::vector<Found>& rows);
  void take_missing(const std::vector<Found>& rows);
  void tell(change::EventType type, std::span<const change::Value> key, std::span<const change::Value> row,
            uint64_t copies);
  void count(change::EventType type, uint64_t copies);
  void ask_sieve();

  Side& primary_;
  Side& standby_;
  const TablePair& pair_;
  ChangeLines* lines_;
  const uint64_t copy_above_;
  ProgressMeter& meter_;
  const Beside beside_;
  Sieve* const sieve_;
  // What it is to be asked about, in the order in which it was given to it.
  struct Waiting {
    change::EventType type;
    uint64_t copies;
    std::string line;  // where lines are written
  };
  std::vector<Waiting> waiting_;
  std::string range_;  // empty: all rows
  uint64_t range_rows_ = 0;
  TableRead ours_;
  TableRead theirs_;
  Recipe recipe_;
  Sums our_sums_;
  Sums their_sums_;
  std::string columns_;  // of whole rows: the values, then those compared in another form
  std::vector<size_t> mixed_;
  TableResult result_;
};

}  // namespace compare
