#include "apply/run.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "apply/feed.hpp"
#include "apply/progress.hpp"
#include "apply/report.hpp"
#include "apply/source.hpp"
#include "apply/standby.hpp"
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

constexpr double cursor_every = 0.2;  // s between cursor files under load: depth is for people and schedulers
constexpr double prune_every = 2;     // s

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
      const Outcome outcome = drain(feed);
      if (outcome == Outcome::ended) break;
      stopped = outcome == Outcome::stopped;
    }
    if (standby_) publish(standby_->position().end_lsn, true);
    tell();
  }

 private:
  enum class Outcome { ended, stopped, read_again };

  // Until the feed ends, or a batch that is no longer in memory has to be read again.
  Outcome drain(Feed& feed) {
    Feed::Item item;
    bool whole = true;  // the batch has one piece, which is in `item`
    while (feed.pop(item)) {
      if (!item.prepared) {
        publish(item.covered, true);
        continue;
      }
      const Outcome outcome = write(*item.prepared, whole);
      if (outcome != Outcome::ended) return outcome;
      whole = item.prepared->piece.ends_batch;
    }
    return Outcome::ended;
  }

  // Writes a piece, again after what can heal. `whole`: its batch begins with it.
  Outcome write(Prepared& prepared, bool whole) {
    const Piece& piece = prepared.piece;
    bool apart = false;
    for (;;) {
      const Position before = standby_->position();
      try {
        standby_->write(prepared);
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
      standby_.reset();
      if (!connect()) return Outcome::stopped;
      const Position& now = standby_->position();
      if (piece.ends_batch && named_ && now.lsn == piece.position.lsn) {
        base::log(base::Level::info, "the commit of " + now.lsn.text() + " was in doubt; it had landed");
        written(piece);
        return Outcome::ended;
      }
      report_.roll_back();
      pending_ = 0;
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

  // False when a stop was requested meanwhile.
  bool connect() {
    before_ = conflicts_;
    for (;;) {
      try {
        standby_ = std::make_unique<Standby>(settings_, node_, named_);
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
    conflicts_ = before_ + standby_->conflicts();
    transactions_ += piece.commits.size();
    operations_ += std::exchange(pending_, 0);
    publish(piece.position.end_lsn, false);
  }

  // Tells the others how far the standby is: everything up to `covered`.
  void publish(change::Lsn covered, bool now) {
    if (cursor_ == nullptr) return;
    const double time = base::monotonic_seconds();
    if (!now && time - published_ < cursor_every) return;
    published_ = time;
    const Position& at = standby_->position();
    covered_ = std::max({covered_, covered, at.end_lsn});
    cursor_->publish({at.lsn, covered_, at.operations, at.time});
    if (time - pruned_ < prune_every) return;
    pruned_ = time;
    spool::prune(settings_);
  }

  void tell() const {
    if (!standby_) return;
    std::string line = node_.name + ": applied " + std::to_string(operations_) + " operations in " +
                       std::to_string(transactions_) + " transactions, up to " + standby_->position().lsn.text();
    if (conflicts_.insert_present > 0)
      line += "; rows that were there: " + std::to_string(conflicts_.insert_present) + " inserted (overwritten)";
    if (conflicts_.update_missing + conflicts_.delete_missing > 0)
      line += "; rows that were not there: " + std::to_string(conflicts_.update_missing) + " updated (made anew), " +
              std::to_string(conflicts_.delete_missing) + " deleted";
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
  Conflicts conflicts_;  // of what was committed
  Conflicts before_;     // of the standbys before this one
  change::Lsn covered_;
  double published_ = 0;
  double pruned_ = 0;
  uint64_t transactions_ = 0;
  uint64_t operations_ = 0;
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
