// What is done between two batches, with no batch begun: operations that `queue dead retry` asks for are tried again,
// tables that wait are looked at, and the last commit is made to survive a crash of the standby. Owns when which of
// them is due; each is done by quarantine, drift and the session. One thread.
#pragma once

#include "apply/delivery.hpp"
#include "apply/drift.hpp"
#include "apply/standing.hpp"
#include "spool/dead.hpp"

namespace apply {

class Interlude {
 public:
  // `follow`: the run goes on after it, so that one table may not keep the others waiting.
  Interlude(Standing& standing, Drift& drift, bool follow) : standing_(standing), drift_(drift), follow_(follow) {}

  // Outcome::ended, stopped or read_again. Throws as Standing::connect().
  Outcome settle();

 private:
  bool look_at_tables();
  void retry(const spool::DeadLetter& letter);

  Standing& standing_;
  Drift& drift_;
  const bool follow_;
};

}  // namespace apply
