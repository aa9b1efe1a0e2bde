#include "apply/run.hpp"

#include <algorithm>
#include <memory>
#include <utility>

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
    bool whole = true;  // the batch has one piece, which is in `item`
    while (feed.pop(item)) {
      const Outcome outcome = item.prepared ? write(*item.prepared, whole) : settle();
      if (outcome != Outcome::ended) return outcome;
      if (item.prepared)
        whole = item.prepared->piece.ends_batch;
      else
        publish(item.covered);
    }
    return Outcome::ended;
  }

  // Whether a commit has to wait for its WAL: what did not is read again from the spool if a crash takes it back. A
  // stream on stdin can't be read again, and a report tells what stands.
  bool durably() const {
    return cursor_ == nullptr || !options_.report.empty() || !feed_->more() || publishing_is_due();
  }
  bool publishing_is_due() const { return base::monotonic_seconds() - published_ >= durable_every; }

  // Makes what was committed last, possibly by a run before this one, survive a crash of the standby.
  Outcome settle() {
    if (cursor_ == nullptr) return Outcome::ended;
    try {
      standby_->settle();
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
        if (piece.ends_batch) standby_->commit(piece.position, durably());
        written(piece);
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
        written(piece);
        return Outcome::ended;
      }
      report_.roll_back();
      pending_ = 0;
      if (now.lsn < before.lsn) {
        base::log(base::Level::info, node_.name + ": came back at " + now.lsn.text() + ", without what it had not " +
                                         "flushed up to " + before.lsn.text() + "; reading that again");
        return Outcome::read_again;
      }
      if (now.lsn > before.lsn)
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

  // (Again.) False when a stop was requested meanwhile.
  bool connect() {
    standby_.reset();
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

  void written(const Piece& piece) {
    report_.add(piece);
    pending_ += piece.operations.size() + piece.truncates.size();
    if (!piece.ends_batch) return;
    backoff_.succeeded();
    report_.commit();
    tally_.add(piece.position.lsn, {piece.commits.size(), std::exchange(pending_, 0), standby_->take_conflicts()},
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
  base::Backoff backoff_;
  Limits limits_;
  std::unique_ptr<Standby> standby_;
  const Feed* feed_ = nullptr;
  Tally tally_;
  change::Lsn covered_;
  double published_ = 0;
  double pruned_ = 0;
  uint64_t pending_ = 0;  // operations written in the open transaction
};

pg::SessionOptions plain(const config::Settings& settings) {
  return {.purpose = "pgtandem apply", .answer_timeout = settings.synchronization.sync_timeout};
}

change::Source spool_source_of(const config::Settings& settings) {
  const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory);
  if (!mark)
    throw Error(Exit::data,
                "the spool " + settings.spool.directory.string() + " is not founded; run `capture init` first");
  return mark->source;
}

}  // namespace

void init(const config::Settings& settings, const std::string& node) {
  const config::Node& standby = settings.secondary(node);
  pg::Session session(standby, plain(settings));
  const change::Source source = spool_source_of(settings);
  init_progress(session, source);
  // From now on the spool is kept for this standby, and a cursor that is there can be written on a full disk, too.
  if (spool::read_cursor(settings.spool.directory, standby.name)) return;
  const Position at = read_progress(session, source);
  spool::CursorFile(settings.spool.directory, standby.name).publish({at.lsn, at.end_lsn, at.operations, at.time});
}

void drop(const config::Settings& settings, const std::string& node) {
  pg::Session session(settings.secondary(node), plain(settings));
  drop_progress(session, spool_source_of(settings).slot);
}

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
