// What a repair did, by table: counted, told, and left in the journal that status and sync-full read. Owns the words
// and the record's form.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "change/lsn.hpp"
#include "state/journal.hpp"

namespace compare {

// Rows of one table.
struct RepairCount {
  uint64_t inserted = 0;
  uint64_t updated = 0;
  uint64_t deleted = 0;
  uint64_t copied = 0;
  uint64_t equal = 0;      // had become so
  uint64_t unsettled = 0;  // are left
  uint64_t left_out = 0;   // by filters.program
  uint64_t refused = 0;    // by the standby
  uint64_t mended() const { return inserted + updated + deleted; }
};
using RepairCounts = std::map<std::string, RepairCount>;  // by the table's text

void add(const RepairCounts& counts, RepairCounts& totals);
// Whether anything is still to be mended.
bool anything_left(const RepairCounts& totals);
// A line of the log for each table; `tried`: of what was only printed.
void tell(const RepairCounts& totals, const std::string& node, bool tried);
// A line of the journal for each, of a comparison at `cut`.
void record(const RepairCounts& totals, change::Lsn cut, state::Journal& journal);

}  // namespace compare
