// Batches brought to the standby, each once, whatever fails: a piece is written in its batch's transaction, the last
// one commits that with the progress, and after a failure a new session tells what stands and how to go on. Owns that
// order of things; what to do after which failure is recourse.hpp's, how a piece is written Standby's. One thread.
#pragma once

#include <functional>
#include <optional>

#include "apply/drift.hpp"
#include "apply/prepared.hpp"
#include "apply/standing.hpp"
#include "base/error.hpp"
#include "change/lsn.hpp"

namespace apply {

// How a run goes on.
enum class Outcome {
  ended,         // with what comes next
  stopped,       // not at all: a stop was requested
  read_again,    // from the last commit: a batch is no longer in memory, or the stream is another
  called,        // by standing still, for who asked
  switched_off,  // when sync is enabled again
};

class Delivery {
 public:
  // `more`: whether a batch is ready behind the one in hand.
  Delivery(Standing& standing, Drift& drift, std::function<bool()> more)
      : standing_(standing), drift_(drift), more_(std::move(more)) {}

  // Writes a piece, again after what can heal. `whole`: its batch begins with it. Throws what no trying helps against:
  // then everything before it is applied, nothing of its transaction.
  Outcome write(Prepared& prepared, bool whole);

  // As Limits has it.
  change::Lsn in_order_until() const { return in_order_until_; }

 private:
  std::optional<Outcome> recover(const base::Error& failure, Prepared& prepared, bool whole, bool went_ahead);
  Outcome fit_tables(const base::Error& failure);
  Outcome write_apart(Prepared& prepared);
  void commit(const Piece& piece);

  Standing& standing_;
  Drift& drift_;
  const std::function<bool()> more_;
  change::Lsn in_order_until_;
};

}  // namespace apply
