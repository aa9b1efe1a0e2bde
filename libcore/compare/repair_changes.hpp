// The changes that make rows of the standby as the primary has them, as one transaction for the ordinary way of
// writing. Owns which change a verdict becomes, and counts them by table; writes nothing. For the repair.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "base/arena.hpp"
#include "change/change.hpp"
#include "compare/recheck.hpp"
#include "compare/repair_counts.hpp"

namespace compare {

// The change that a verdict of `differs` becomes, as many times as `copies` says. Values are the verdict's and the
// suspect's.
struct Mending {
  change::EventType type = change::EventType::insert;  // or update, or remove
  std::vector<change::Value> key;
  std::vector<change::Value> row;
  uint64_t copies = 1;
};
Mending mending_of(const Suspect& suspect, const Verdict& verdict);

// Values of the events lie in the verdicts and the suspects, keys and rows that are made here in the arena: all of them
// are the caller's, and have to stay.
class RepairChanges {
 public:
  RepairChanges(change::Lsn lsn, base::Arena& arena, RepairCounts& counts);

  void add(const Suspect& suspect, const Verdict& verdict);
  bool any() const { return events_.size() > 1; }
  // All of them, with begin and commit. Once.
  std::vector<change::Event> take(change::Lsn lsn);
  // The standby would not have the event of this place: it counts as refused, and as nothing else. Whose it was, the
  // first time that this is told of him; else nullptr.
  const Suspect* refused(uint64_t ordinal);

 private:
  std::span<change::Value> copy(std::span<const change::Value> from);

  base::Arena& arena_;
  RepairCounts& counts_;
  std::vector<change::Event> events_;
  struct Planned {
    const Suspect* of;
    uint64_t* count;  // where it was counted
  };
  std::vector<Planned> planned_;  // by ordinal, from 1
  std::set<const Suspect*> refused_;
};

}  // namespace compare
