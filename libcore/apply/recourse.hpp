// What to do after a batch failed. Pure: owns that decision alone; Run acts by it.
#pragma once

#include "base/error.hpp"

namespace apply {

enum class Recourse {
  none,        // nothing helps: the run ends with the failure
  fit_tables,  // a table's shape: see Drift, then read the batch again
  alone,       // it was in another batch's way, or that in its: again, one batch at a time
  again,       // it heals: again after a while
  in_order,    // again, in the primary's order
  apart,       // again, each transaction a batch of its own, so that what comes before the refused one is applied
  at_commit,   // again, without the operations for which its one transaction is refused at the commit; see AtCommit
};

struct Failed {
  const base::Error& failure;
  bool in_doubt = false;     // the commit was on its way
  bool went_ahead = false;   // it was begun before the batch before it was committed
  bool beside = false;       // another session had the batch after it
  bool in_order = false;     // it was written in the primary's order
  bool several = false;      // it has several transactions
  bool in_hand = false;      // all of it is in memory
  bool at_commit = false;    // it was written without what is refused at the commit
  bool from_spool = false;   // so it can be read again
  bool leaves_out = false;   // what is refused need not be kept
  bool looked_anew = false;  // the tables were looked at anew for it already
};

Recourse recourse_after(const Failed& failed);

}  // namespace apply
