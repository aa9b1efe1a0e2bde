#include "apply/run.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "apply/ahead.hpp"
#include "apply/feed.hpp"
#include "apply/progress.hpp"
#include "apply/report.hpp"
#include "apply/source.hpp"
#include "apply/standby.hpp"
#include "apply/tally.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"
#include "spool/prune.hpp"

namespace apply {
namespace {

using base::Error;
using base::Exit;

// s between durable commits, and cursor files after them, under load: the commits between wait for no disk.
constexpr double durable_every = 1;
constexpr double prune_every = 2;  // s

// What may pass in the primary's order, or stops only the transaction that it is in.
bool is_about_rows(const Error& error) {
  if (const auto* refused = dynamic_cast<const pg::SqlError*>(&error))
    return pg::is_refusal_of_rows(refused->sqlstate());
  return dynamic_cast<const Unfit*>(&error) != nullptr;
}

class Run {
 public:
  Run(const config::Settings& settings, const Options& options, Source& source, spool::CursorFile* cursor)
      : settings_(settings),
        options_(options),
        node_(settings.secondary(options.node)),
        source_(source),
        named_(source.named()),
        cursor_(cursor),
        report_(options.report),
        ahead_(settings, node_, named_),
        backoff_(options.follow ? -1 : settings.synchronization.max_retry_attempts,
                 settings.synchronization.retry_delay) {
    const config::Synchronization& sync = settings.synchronization;
    limits_ = {static_cast<uint64_t>(sync.batch_size), static_cast<uint64_t>(sync.max_queue_size), options.until, {}};
  }

  void to_end() {
    bool stopped = !connect();
    while (!stopped) {
      source_.rewind(standby_->position());
      Feed feed(source_, limits_, options_.follow, settings_.synchronization.sync_interval);
      feed_ = &feed;
      Outcome outcome = drain(feed);
      if (outcome == Outcome::ended) outcome = settle();
      if (outcome == Outcome::ended) break;
      stopped = outcome == Outcome::stopped;
    }
    if (standby_) publish(standby_->position().end_lsn);
    tell();
  }

 private:
  enum class Outcome { ended, stopped, read_again };

  // Until the feed ends, or a batch that is no longer in memory has to be read again.
  Outcome drain(Feed& feed) {
    Feed::Item item;
    Feed::Item next;  // taken already, if `has_next`
    bool has_next = false;
    bool whole = true;  // the batch has one piece, which is in `item`
    for (;;) {
      if (std::exchange(has_next, false))
        item = std::move(next);
      else if (!feed.pop(item))
        return Outcome::ended;
      if (!item.prepared) {
        const Outcome outcome = settle();
        if (outcome != Outcome::ended) return outcome;
        publish(item.covered);
        continue;
      }
      has_next = whole && feed.more() && feed.pop(next);
      std::optional<Ahead::Reach> far;
      if (has_next && next.prepared) far = reach(*item.prepared, *next.prepared);
      const Outcome outcome =
          far ? write_two(*item.prepared, *next.prepared, *far, has_next) : write(*item.prepared, whole);
      if (outcome != Outcome::ended) return outcome;
      whole = item.prepared->piece.ends_batch;
    }
  }

  // How far the second batch may go while the first is written; nothing: not at all.
  std::optional<Ahead::Reach> reach(const Prepared& first, const Prepared& second) {
    if (cursor_ == nullptr || !options_.report.empty()) return {};
    if (!is_whole_and_folded(first) || !is_whole_and_folded(second)) return {};
    try {
      if (independent(first, second) && standby_->may_overlap(first) && standby_->may_overlap(second))
        return Ahead::Reach::all;
    } catch (const Error&) {  // the ordinary way meets it again, and knows what to do
      return {};
    }
    const bool stages = std::any_of(second.fold.tables.begin(), second.fold.tables.end(),
                                    [](const TableEffect& effect) { return effect.stages(); });
    if (!stages || !standby_->can_fold(second)) return {};
    return Ahead::Reach::staging;
  }

  // Writes (or stages) the second batch while the first is written, and commits them in their order. Clears `left` when
  // both are done: else the first is, and the second has to go the ordinary way.
  Outcome write_two(Prepared& first, Prepared& second, Ahead::Reach reach, bool& left) {
    if (!ahead_.begin(second, reach)) return write(first, true);
    behind_ = &second.piece;
    try {
      return commit_two(first, second, left);
    } catch (...) {
      disconnect();  // before `second` goes
      throw;
    }
  }

  Outcome commit_two(Prepared& first, Prepared& second, bool& left) {
    const Outcome outcome = write(first, true);
    behind_ = nullptr;
    if (outcome != Outcome::ended && ahead_.running()) disconnect();
    if (outcome != Outcome::ended || !ahead_.running()) return outcome;
    const bool durable = durably();
    if (!ahead_.commit(first.piece.position, second.piece.position, durable))
      return ahead_.in_doubt() ? look_again(first.piece, second.piece, left) : Outcome::ended;
    standby_->moved(second.piece.position, durable);
    written(second.piece, ahead_.take_conflicts());
    left = false;
    return Outcome::ended;
  }

  // Whether the second batch was committed is not known: its progress tells.
  Outcome look_again(const Piece& first, const Piece& second, bool& left) {
    if (!connect()) return Outcome::stopped;
    const change::Lsn now = standby_->position().lsn;
    if (now == second.position.lsn) {
      written(second, {});
      left = false;
      return Outcome::ended;
    }
    return now == first.position.lsn ? Outcome::ended : Outcome::read_again;
  }

  // Whether a commit has to wait for its WAL: what did not is read again from the spool if a crash takes it back. A
  // stream on stdin can't be read again, and a report tells what stands.
  bool durably() const {
    return cursor_ == nullptr || !options_.report.empty() || !(behind_ != nullptr || feed_->more()) ||
           publishing_is_due();
  }
  bool publishing_is_due() const { return base::monotonic_seconds() - published_ >= durable_every; }

  // Makes what was committed last, possibly by a run before this one, survive a crash of the standby.
  Outcome settle() {
    if (cursor_ == nullptr) return Outcome::ended;
    try {
      standby_->settle();
      tally_.settled();
      return Outcome::ended;
    } catch (const base::Transient& failure) {
      if (!backoff_.wait(failure.what())) {
        if (base::stop_requested()) return Outcome::stopped;
        throw;
      }
    }
    return connect() ? Outcome::read_again : Outcome::stopped;
  }

  // Writes a piece, again after what can heal. `whole`: its batch begins with it.
  Outcome write(Prepared& prepared, bool whole) {
    const Piece& piece = prepared.piece;
    bool apart = false;
    for (;;) {
      const Position before = standby_->position();
      try {
        standby_->write(prepared);
        if (behind_ != nullptr) standby_->follow_sequences(*behind_);
        if (piece.ends_batch) standby_->commit(standby_->position(), piece.position, durably());
        written(piece, standby_->take_conflicts());
        return Outcome::ended;
      } catch (const base::Transient& failure) {
        const bool in_doubt = standby_->in_doubt();
        if (in_doubt && !named_)
          throw Error(Exit::unreachable,
                      std::string(failure.what()) +
                          "; whether the last batch was committed is not known: compare before going on");
        if (!backoff_.wait(failure.what())) {
          if (base::stop_requested()) return Outcome::stopped;
          throw;
        }
      } catch (const Error& refused) {
        if (!is_about_rows(refused) || (piece.in_order && piece.commits.size() <= 1)) throw;
        apart = piece.in_order;
        base::log(base::Level::debug, std::string(refused.what()) + "; trying these changes " +
                                          (apart ? "transaction by transaction" : "in the primary's order"));
        prepared.piece.in_order = true;
      }
      if (!connect()) return Outcome::stopped;
      const Position& now = standby_->position();
      if (piece.ends_batch && named_ && now.lsn == piece.position.lsn) {
        base::log(base::Level::info, "the commit of " + now.lsn.text() + " was in doubt; it had landed");
        written(piece, {});
        return Outcome::ended;
      }
      report_.roll_back();
      pending_ = 0;
      if (now.lsn < before.lsn && cursor_ != nullptr) {
        base::log(base::Level::info, node_.name + ": came back at " + now.lsn.text() + ", without what it had not " +
                                         "flushed up to " + before.lsn.text() + "; reading that again");
        return Outcome::read_again;
      }
      if (now.lsn != before.lsn)
        throw Error(Exit::try_later, node_.name + ": progress went from " + before.lsn.text() + " to " +
                                         now.lsn.text() +
                                         " meanwhile: another apply is at work there; stop one of the two");
      if (apart) return write_apart(prepared);
      if (whole && piece.ends_batch) continue;
      if (prepared.piece.in_order) limits_.in_order_until = std::max(limits_.in_order_until, piece.last_lsn);
      return Outcome::read_again;
    }
  }

  // Each transaction of the piece in a batch of its own, so that what comes before a refused one is applied.
  Outcome write_apart(Prepared& prepared) {
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

  void disconnect() {
    standby_.reset();
    ahead_.give_up();
  }

  // (Again.) False when a stop was requested meanwhile.
  bool connect() {
    disconnect();
    conflicts_ = {};
    for (;;) {
      try {
        standby_ = std::make_unique<Standby>(settings_, node_, named_);
        if (named_) tally_.back_to(standby_->position().lsn);
        return true;
      } catch (const base::Transient& failure) {
        if (backoff_.wait(failure.what())) continue;
        if (base::stop_requested()) return false;
        throw;
      }
    }
  }

  void written(const Piece& piece, const Conflicts& conflicts) {
    report_.add(piece);
    pending_ += piece.operations.size() + piece.truncates.size();
    conflicts_ = conflicts_ + conflicts;
    if (!piece.ends_batch) return;
    backoff_.succeeded();
    report_.commit();
    tally_.add(piece.position.lsn, {piece.commits.size(), std::exchange(pending_, 0), std::exchange(conflicts_, {})},
               standby_->durable());
    if (publishing_is_due()) publish(piece.position.end_lsn);
  }

  // Tells the others how far the standby is for good: everything up to `covered`. The spool may go up to there.
  void publish(change::Lsn covered) {
    if (cursor_ == nullptr || !standby_->durable()) return;
    published_ = base::monotonic_seconds();
    const Position& at = standby_->position();
    covered_ = std::max({covered_, covered, at.end_lsn});
    cursor_->publish({at.lsn, covered_, at.operations, at.time});
    if (published_ - pruned_ < prune_every) return;
    pruned_ = published_;
    spool::prune(settings_);
  }

  void tell() const {
    if (!standby_) return;
    const Totals& totals = tally_.totals();
    const Conflicts& conflicts = totals.conflicts;
    std::string line = node_.name + ": applied " + std::to_string(totals.operations) + " operations in " +
                       std::to_string(totals.transactions) + " transactions, up to " + standby_->position().lsn.text();
    if (conflicts.insert_present > 0)
      line += "; rows that were there: " + std::to_string(conflicts.insert_present) + " inserted (overwritten)";
    if (conflicts.update_missing + conflicts.delete_missing > 0)
      line += "; rows that were not there: " + std::to_string(conflicts.update_missing) + " updated (made anew), " +
              std::to_string(conflicts.delete_missing) + " deleted";
    base::log(base::Level::info, line);
  }

  const config::Settings& settings_;
  const Options& options_;
  const config::Node& node_;
  Source& source_;
  std::optional<change::Source> named_;
  spool::CursorFile* cursor_;
  Report report_;
  Ahead ahead_;
  base::Backoff backoff_;
  Limits limits_;
  const Piece* behind_ = nullptr;     // the batch that ahead_ has, while the one before it is being written
  std::unique_ptr<Standby> standby_;  // goes before ahead_, which may wait for its locks
  const Feed* feed_ = nullptr;
  Conflicts conflicts_;  // of the open batch
  Tally tally_;
  change::Lsn covered_;
  double published_ = 0;
  double pruned_ = 0;
  uint64_t pending_ = 0;  // operations written in the open transaction
};

}  // namespace

void from_spool_to_standby(const config::Settings& settings, const Options& options) {
  const std::unique_ptr<Source> source = from_spool(settings);
  spool::CursorFile cursor(settings.spool.directory, settings.secondary(options.node).name);
  Options bounded = options;
  if (!options.follow && !options.until) bounded.until = spool::read_mark(settings.spool.directory)->lsn;
  Run(settings, bounded, *source, &cursor).to_end();
}

void from_stdin_to_standby(const config::Settings& settings, const Options& options, int fd) {
  const std::unique_ptr<Source> source = from_descriptor(fd, "stdin");
  Run(settings, options, *source, nullptr).to_end();
}

}  // namespace apply
