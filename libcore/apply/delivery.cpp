#include "apply/delivery.hpp"

#include <algorithm>
#include <string>

#include "apply/recourse.hpp"
#include "base/log.hpp"

namespace apply {

using base::Error;
using base::Exit;

Outcome Delivery::write(Prepared& prepared, bool whole) {
  const Piece& piece = prepared.piece;
  Incidents& incidents = standing_.incidents;
  for (;;) {
    Turns& turns = standing_.turns;
    Standby& standby = turns.leading();
    const bool went_ahead = standby.has_begun();
    try {
      standby.write(prepared, standing_.sequences, turns.ahead());
      if (piece.ends_batch) commit(piece);
    } catch (const Error& failure) {
      const std::optional<Outcome> outcome = recover(failure, prepared, whole, went_ahead);
      if (outcome) return *outcome;
      continue;
    }
    standing_.written(piece, piece.ends_batch ? incidents.committed() : Conflicts(), incidents.take_results());
    if (piece.ends_batch) turns.next();
    return Outcome::ended;
  }
}

void Delivery::commit(const Piece& piece) {
  // What goes to quarantine, or comes out of it, may not come again. Any other commit need not wait for its WAL where
  // the next one, or a look at the clock, soon makes it survive.
  const bool durable =
      standing_.incidents.any() || !standing_.can_read_again || !more_() || standing_.milestone.is_due();
  standing_.incidents.before_commit();
  standing_.turns.leading().commit(standing_.at, piece.position, durable);
  standing_.at = piece.position;
  standing_.durable = durable;
}

// After a failure to write a piece, while it is being caught: throws it again, or makes a new session and tells how to
// go on (nothing: with the same piece). `went_ahead`: it was begun before the batch before it was committed.
std::optional<Outcome> Delivery::recover(const Error& failure, Prepared& prepared, bool whole, bool went_ahead) {
  const Piece& piece = prepared.piece;
  Turns& turns = standing_.turns;
  const bool in_doubt = turns.leading().in_doubt();
  const Recourse recourse = recourse_after({.failure = failure,
                                            .in_doubt = in_doubt,
                                            .went_ahead = went_ahead,
                                            .beside = turns.ahead(),
                                            .in_order = piece.in_order,
                                            .several = piece.commits.size() > 1,
                                            .in_hand = whole && piece.ends_batch,
                                            .at_commit = piece.refused_at_commit,
                                            .from_spool = standing_.from_spool,
                                            .leaves_out = standing_.incidents.leaves_out,
                                            .looked_anew = standing_.looked_anew});
  const Conflicts conflicts = standing_.incidents.conflicts.take();
  const Results results = standing_.incidents.take_results();
  const Position before = standing_.at;
  turns.disconnect();
  switch (recourse) {
    case Recourse::none:
      throw;
    case Recourse::fit_tables:
      return fit_tables(failure);
    case Recourse::alone:
      base::log(base::Level::debug, std::string(failure.what()) + "; going on one by one");
      turns.rest();
      break;
    case Recourse::again:
      if (in_doubt && !standing_.named)
        throw Error(Exit::unreachable,
                    std::string(failure.what()) +
                        "; whether the last batch was committed is not known: compare before going on");
      if (!standing_.wait_after(failure)) return Outcome::stopped;
      break;
    case Recourse::in_order:
    case Recourse::apart:
      base::log(base::Level::debug,
                std::string(failure.what()) + "; trying these changes " +
                    (recourse == Recourse::apart ? "transaction by transaction" : "in the primary's order"));
      prepared.piece.in_order = true;
      break;
    case Recourse::at_commit:
      base::log(base::Level::debug, std::string(failure.what()) + "; looking for the operation that it is for");
      prepared.piece.refused_at_commit = true;
      break;
  }
  if (!standing_.connect()) return Outcome::stopped;
  const Position& now = standing_.at;
  if (piece.ends_batch && standing_.named && now.lsn == piece.position.lsn) {
    base::log(base::Level::info, "the commit of " + now.lsn.text() + " was in doubt; it had landed");
    standing_.written(piece, conflicts, results);
    return Outcome::ended;
  }
  standing_.account.take_back();
  if (now.lsn < before.lsn && standing_.from_spool) {
    base::log(base::Level::info, standing_.node.name + ": came back at " + now.lsn.text() +
                                     ", without what it had not flushed up to " + before.lsn.text() +
                                     "; reading that again");
    return Outcome::read_again;
  }
  if (now.lsn != before.lsn)
    throw Error(Exit::try_later, standing_.node.name + ": progress went from " + before.lsn.text() + " to " +
                                     now.lsn.text() +
                                     " meanwhile: another apply is at work there; stop one of the two");
  if (recourse == Recourse::apart) return write_apart(prepared);
  if (whole && piece.ends_batch) return {};
  if (piece.in_order) in_order_until_ = std::max(in_order_until_, piece.last_lsn);
  return Outcome::read_again;
}

// A new session sees the tables as they are; the batch is read again, as its table wants it.
Outcome Delivery::fit_tables(const Error& failure) {
  if (!standing_.connect()) return Outcome::stopped;
  standing_.account.take_back();
  if (const auto* misfit = dynamic_cast<const Misfit*>(&failure))
    drift_.met(*misfit, standing_.turns.leading(), standing_.at);
  else
    standing_.looked_anew = true;
  return Outcome::read_again;
}

// Each transaction of the piece in a batch of its own, so that what comes before a refused one is applied.
Outcome Delivery::write_apart(Prepared& prepared) {
  size_t from = 0;
  for (const Commit& commit : prepared.piece.commits) {
    Prepared one;
    const auto begin = prepared.piece.operations.begin();
    one.piece.operations.assign(begin + static_cast<long>(from), begin + static_cast<long>(commit.operations));
    from = commit.operations;
    one.piece.in_order = one.piece.ends_batch = true;
    one.piece.position = commit.position;
    one.piece.last_lsn = commit.position.lsn;
    one.piece.commits = {{commit.position, one.piece.operations.size()}};
    const Outcome outcome = write(one, true);
    if (outcome != Outcome::ended) return outcome;
  }
  return Outcome::ended;
}

}  // namespace apply
