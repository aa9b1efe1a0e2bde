// What a run has done, counted batch by batch, so that what a crash of the standby took back is not counted twice. Owns
// the counts; knows no server.
#pragma once

#include <cstdint>
#include <vector>

#include "apply/conflict.hpp"
#include "change/lsn.hpp"

namespace apply {

struct Totals {
  uint64_t transactions = 0;
  uint64_t operations = 0;
  Conflicts conflicts;
};

class Tally {
 public:
  const Totals& totals() const { return totals_; }
  // A batch that ends at `lsn` was committed. `durable`: it and everything before it survives a crash of the standby.
  void add(change::Lsn lsn, const Totals& batch, bool durable);
  // All of it survives now.
  void settled() { may_go_.clear(); }
  // The standby is (back) at `lsn`: what was counted after it has to be done again.
  void back_to(change::Lsn lsn);

 private:
  struct Batch {
    change::Lsn lsn;
    Totals before;
  };
  Totals totals_;
  std::vector<Batch> may_go_;  // those that a crash would take back
};

}  // namespace apply
