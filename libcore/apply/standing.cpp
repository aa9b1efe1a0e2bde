#include "apply/standing.hpp"

#include "base/stop.hpp"

namespace apply {

Standing::Standing(const config::Settings& of, const Options& options, const std::optional<change::Source>& stream,
                   spool::CursorFile* cursor)
    : settings(of),
      node(of.secondary(options.node)),
      named(stream),
      from_spool(cursor != nullptr),
      can_read_again(from_spool && options.report.empty()),
      account(of, node, options.report, options.pin.has_value(), cursor != nullptr, options.refused),
      milestone(of, cursor),
      incidents(of, node, from_spool, options.refused != nullptr),
      turns(of, node, named, incidents, options.pin),
      backoff_(options.follow ? -1 : of.synchronization.max_retry_attempts, of.synchronization.retry_delay,
               [this](const std::string& why) { account.retried(why); }) {}

bool Standing::connect() {
  turns.disconnect();
  sequences = {};
  for (;;) {
    try {
      const Position now = turns.connect();
      if (!named) return true;
      at = now;
      durable = false;  // it may be the unflushed commit of a run that was killed
      incidents.load(now.lsn);
      account.back_to(now.lsn);
      return true;
    } catch (const base::Transient& failure) {
      if (!wait_after(failure)) return false;
    }
  }
}

bool Standing::wait_after(const base::Error& failure) {
  if (backoff_.wait(failure.what())) return true;
  if (base::stop_requested()) return false;
  throw;
}

void Standing::written(const Piece& piece, const Conflicts& conflicts, const Results& results) {
  account.add(piece, results);
  if (!piece.ends_batch) return;
  looked_anew = false;
  backoff_.succeeded();
  account.commit(piece.position.lsn, piece.commits.size(), conflicts, durable);
  if (milestone.is_due()) publish(piece.position.end_lsn);
}

void Standing::flush() {
  if (durable) return;
  turns.leading().flush();
  durable = true;
  account.settled();
}

void Standing::publish(change::Lsn covered) {
  if (durable) milestone.set(at, covered, incidents.tables);
}

}  // namespace apply
