#include "apply/interlude.hpp"

#include <limits>
#include <string>
#include <vector>

namespace apply {

// The last commit may be one of a run before this one.
Outcome Interlude::settle() {
  if (!standing_.from_spool) return Outcome::ended;
  Turns& turns = standing_.turns;
  try {
    standing_.incidents.quarantine.look(standing_.at.lsn);
    const std::vector<spool::DeadLetter> letters = standing_.incidents.quarantine.to_retry();
    for (const spool::DeadLetter& letter : letters) retry(letter);
    if (drift_.due_in() <= 0 && look_at_tables()) turns.disconnect();
    if (turns.connected()) {
      standing_.flush();
      return Outcome::ended;
    }
  } catch (const base::Transient& failure) {
    standing_.account.take_back();
    if (!standing_.wait_after(failure)) return Outcome::stopped;
  }
  return standing_.connect() ? Outcome::read_again : Outcome::stopped;
}

bool Interlude::look_at_tables() {
  const double seconds = follow_ ? 1 : std::numeric_limits<double>::infinity();
  return drift_.look(standing_.at, seconds,
                     [this](const Piece& piece, const Conflicts& conflicts, const Results& results) {
                       standing_.account.add(piece, results);
                       if (piece.ends_batch) standing_.account.commit(standing_.at.lsn, 0, conflicts, true);
                     });
}

// One letter, unless one before it on its row is still held. Afterwards there is no connection where the failure was of
// more than a row.
void Interlude::retry(const spool::DeadLetter& letter) {
  if (!standing_.turns.connected()) return;
  Quarantine& quarantine = standing_.incidents.quarantine;
  try {
    std::string refusal = quarantine.waits(letter);
    const HeldOperation held(letter);
    if (refusal.empty()) refusal = standing_.turns.leading().retry(held.operation());
    const Conflicts conflicts = standing_.incidents.committed();
    if (refusal.empty())
      standing_.account.released(standing_.at.lsn, held.operation(), standing_.incidents.take_results(), conflicts);
    quarantine.retried(letter, refusal, conflicts.text());
  } catch (const base::Transient&) {
    throw;
  } catch (const base::Error& failure) {
    standing_.turns.disconnect();
    quarantine.retried(letter, failure.what(), "");
  }
}

}  // namespace apply
