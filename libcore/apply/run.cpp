#include "apply/run.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "apply/account.hpp"
#include "apply/drift.hpp"
#include "apply/feed.hpp"
#include "apply/hold.hpp"
#include "apply/incidents.hpp"
#include "apply/milestone.hpp"
#include "apply/recourse.hpp"
#include "apply/sequences.hpp"
#include "apply/source.hpp"
#include "apply/turns.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"
#include "pg/rights.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"
#include "state/gate.hpp"

namespace apply {
namespace {

using base::Error;
using base::Exit;

constexpr double no_wait = 0;
constexpr double for_ever = std::numeric_limits<double>::infinity();
constexpr double look_while_waiting = 0.1;  // s between looks whether somebody wants to hold a run that waits

class Run {
 public:
  Run(const config::Settings& settings, const Options& options, Source& source, spool::CursorFile* cursor)
      : settings_(settings),
        options_(options),
        node_(settings.secondary(options.node)),
        source_(source),
        named_(source.named()),
        cursor_(cursor),
        account_(settings, node_, options.report, options.pin.has_value(), cursor != nullptr),
        milestone_(settings, cursor),
        incidents_(settings, node_, cursor != nullptr),
        turns_(settings, node_, named_, incidents_, options.pin),
        drift_(settings, node_, named_, incidents_),
        can_read_again_(cursor != nullptr && options.report.empty()),
        backoff_(options.follow ? -1 : settings.synchronization.max_retry_attempts,
                 settings.synchronization.retry_delay, [this](const std::string& why) { account_.retried(why); }) {
    const config::Synchronization& sync = settings.synchronization;
    limits_ = {static_cast<uint64_t>(sync.batch_size), static_cast<uint64_t>(sync.max_queue_size), options.until, {}};
    if (cursor != nullptr && options.holdable)
      hold_ = std::make_unique<Hold>(settings, node_, [this] { source_.abandon(); });
    if (hold_ && options.follow) gate_.emplace(settings.state_directory, sync.auto_sync_enabled);
  }

  change::Lsn at() const { return at_.lsn; }

  Exit to_end() {
    try {
      const Exit exit = go_on();
      account_.ended(exit);
      return exit;
    } catch (const pg::SqlError& refused) {
      account_.failed(refused.what(), refused.kind());
      pg::throw_refusal(refused, "apply init");
    } catch (const Error& failure) {
      account_.failed(failure.what(), failure.kind());
      throw;
    }
  }

 private:
  Exit go_on() {
    bool stopped = !connect();
    while (!stopped) {
      if (cursor_ == nullptr && !incidents_.tables.paused().empty())
        throw Error(Exit::data, node_.name + ": table " + incidents_.tables.paused().begin()->first +
                                    " is paused, and its changes wait in the queue; apply from there");
      Outcome outcome = feed(limits_, options_.follow);
      if (outcome == Outcome::ended) outcome = settle();
      if (outcome == Outcome::called) outcome = be_held();
      if (outcome == Outcome::switched_off) outcome = wait_for_switch();
      if (outcome == Outcome::ended) break;
      stopped = outcome == Outcome::stopped;
    }
    publish(at_.end_lsn);
    tell();
    const bool found = incidents_.quarantine.size() > 0 || !incidents_.tables.paused().empty();
    return found && !options_.follow && !base::stop_requested() ? Exit::finding : Exit::done;
  }

  enum class Outcome { ended, stopped, read_again, called, switched_off };

  const std::atomic<bool>& called() const {
    static const std::atomic<bool> never{false};
    return hold_ ? hold_->called() : never;
  }

  Outcome feed(Limits limits, bool follow) {
    // The shapes that were read so far go with this; others may come to lie where they were.
    turns_.forget_addresses();
    incidents_.tables.forget_addresses();
    sequences_ = {};
    source_.rewind(at_);
    limits.selection = incidents_.tables.all_others();
    Feed feed(source_, limits, follow, settings_.synchronization.sync_interval, called());
    feed_ = &feed;
    return drain(feed);
  }

  // Somebody wants the standby to stand still at a place of his, for a moment. What was gathered ahead is gone, so
  // nothing beyond that place can be on its way.
  Outcome be_held() {
    if (!turns_.connected() && !connect()) return Outcome::stopped;
    struct Ending {
      Hold& hold;
      bool& held;
      ~Ending() {
        hold.end();
        held = false;
      }
    } const ending{*hold_, held_};
    held_ = true;
    const std::optional<change::Lsn> until = hold_->begin(at_.lsn);
    // A run with an end of its own is over soon, and then who asks is free to do it himself.
    if (until && (!limits_.until || *until <= *limits_.until)) {
      Outcome outcome = Outcome::read_again;
      while (outcome == Outcome::read_again) {
        Limits bounded = limits_;
        bounded.until = until;
        outcome = feed(bounded, false);
      }
      if (outcome == Outcome::stopped) return outcome;
      if (outcome == Outcome::ended && !called() && !base::stop_requested()) hold_->arrived(at_.lsn);
    }
    return turns_.connected() || connect() ? Outcome::read_again : Outcome::stopped;
  }

  // Between two batches, connected and with nothing begun, until sync is enabled again. Who compares may hold it there.
  Outcome wait_for_switch() {
    if (!turns_.connected() && !connect()) return Outcome::stopped;
    if (settle() == Outcome::stopped) return Outcome::stopped;
    publish(at_.end_lsn);
    while (!gate_->open_as(node_.name)) {
      if (called() && be_held() == Outcome::stopped) return Outcome::stopped;
      if (base::sleep_or_stop(look_while_waiting)) return Outcome::stopped;
    }
    return Outcome::read_again;
  }

  // However drain() is left: what was begun and not committed is rolled back.
  struct Leaving {
    Turns& turns;
    ~Leaving() {
      if (turns.busy()) turns.disconnect();
    }
  };

  // Until the feed ends, or a batch that is no longer in memory has to be read again.
  Outcome drain(Feed& feed) {
    Feed::Item item;
    Feed::Item next;                // taken already, if has_next_
    const Leaving leaving{turns_};  // goes before these two: a thread may be reading them
    bool whole = true;              // the batch has one piece, which is in `item`
    has_next_ = false;
    for (;;) {
      if (whole && called()) return Outcome::called;
      if (whole && gate_ && !held_ && !gate_->open()) return Outcome::switched_off;
      if (std::exchange(has_next_, false))
        item = std::move(next);
      else if (!feed.pop(item, std::min(drift_.due_in(), gate_ ? state::Gate::look_every : for_ever)))
        return called() ? Outcome::called : Outcome::ended;
      if (!item.prepared && item.covered == change::Lsn() && drift_.due_in() > 0) continue;  // a look at the gate
      if (!item.prepared) {
        const Outcome outcome = settle();
        if (outcome != Outcome::ended) return outcome;
        publish(item.covered);
        continue;
      }
      if (incidents_.quarantine.touches(*item.prepared)) item.prepared->piece.in_order = true;
      const bool look = whole && drift_.due_in() <= 0;  // then nothing goes ahead of this batch
      if (can_read_again_ && whole && !look && feed.more()) {
        has_next_ = feed.pop(next, no_wait);
        if (has_next_ && next.prepared && !incidents_.quarantine.touches(*next.prepared))
          turns_.begin_ahead(*item.prepared, *next.prepared);
      }
      const Outcome outcome = write(*item.prepared, whole);
      if (outcome != Outcome::ended) return outcome;
      whole = item.prepared->piece.ends_batch;
      if (!look || !whole) continue;
      const Outcome looked = settle();
      if (looked != Outcome::ended) return looked;
    }
  }

  // Whether a commit has to wait for its WAL: what did not is read again from the spool if a crash takes it back. A
  // stream on stdin can't be read again, and a report tells what stands.
  bool durably() const { return !can_read_again_ || !(has_next_ || feed_->more()) || milestone_.is_due(); }

  // Tries again what was asked for, and makes what was committed last, possibly by a run before this one, survive a
  // crash of the standby.
  Outcome settle() {
    if (cursor_ == nullptr) return Outcome::ended;
    try {
      incidents_.quarantine.look(at_.lsn);
      const std::vector<spool::DeadLetter> letters = incidents_.quarantine.to_retry();
      for (const spool::DeadLetter& letter : letters) retry(letter);
      if (drift_.due_in() <= 0 && look_at_tables()) turns_.disconnect();
      if (!turns_.connected()) return connect() ? Outcome::read_again : Outcome::stopped;
      if (durable_) return Outcome::ended;
      turns_.leading().flush();
      durable_ = true;
      account_.settled();
      return Outcome::ended;
    } catch (const base::Transient& failure) {
      account_.take_back();
      if (!backoff_.wait(failure.what())) {
        if (base::stop_requested()) return Outcome::stopped;
        throw;
      }
    }
    return connect() ? Outcome::read_again : Outcome::stopped;
  }

  bool look_at_tables() {
    const double seconds = options_.follow ? 1 : for_ever;
    return drift_.look(at_, seconds, [this](const Piece& piece, const Conflicts& conflicts, const Results& results) {
      account_.add(piece, results);
      if (piece.ends_batch) account_.commit(at_.lsn, 0, conflicts, true);
    });
  }

  // One letter, unless one before it on its row is still held. Afterwards there is no connection where the failure was
  // of more than a row.
  void retry(const spool::DeadLetter& letter) {
    if (!turns_.connected()) return;
    try {
      std::string refusal = incidents_.quarantine.waits(letter);
      if (refusal.empty()) refusal = turns_.leading().put(HeldOperation(letter).operation());
      incidents_.quarantine.retried(letter, refusal);
    } catch (const base::Transient&) {
      throw;
    } catch (const Error& failure) {
      turns_.disconnect();
      incidents_.quarantine.retried(letter, failure.what());
    }
  }

  // Writes a piece, again after what can heal. `whole`: its batch begins with it.
  Outcome write(Prepared& prepared, bool whole) {
    const Piece& piece = prepared.piece;
    for (;;) {
      Standby& standby = turns_.leading();
      const bool went_ahead = standby.has_begun();
      try {
        standby.write(prepared, sequences_, turns_.ahead());
        for (const Truncate& what : piece.truncates)
          for (const base::TableName& table : what.tables) incidents_.quarantine.supersede(table, what.lsn);
        if (piece.ends_batch) commit(piece);
      } catch (const Error& failure) {
        const std::optional<Outcome> outcome = recover(failure, prepared, whole, went_ahead);
        if (outcome) return *outcome;
        continue;
      }
      written(piece, piece.ends_batch ? incidents_.committed() : Conflicts(), incidents_.take_results());
      if (piece.ends_batch) turns_.next();
      return Outcome::ended;
    }
  }

  // After a failure to write a piece, while it is being caught: throws it again, or makes a new session and tells how
  // to go on (nothing: with the same piece). `went_ahead`: it was begun before the batch before it was committed.
  std::optional<Outcome> recover(const Error& failure, Prepared& prepared, bool whole, bool went_ahead) {
    const Piece& piece = prepared.piece;
    const bool in_doubt = turns_.leading().in_doubt();
    const Recourse recourse = recourse_after({.failure = failure,
                                              .in_doubt = in_doubt,
                                              .went_ahead = went_ahead,
                                              .beside = turns_.ahead(),
                                              .in_order = piece.in_order,
                                              .several = piece.commits.size() > 1,
                                              .from_spool = cursor_ != nullptr,
                                              .looked_anew = looked_anew_});
    const Conflicts conflicts = incidents_.conflicts.take();
    const Results results = incidents_.take_results();
    const Position before = at_;
    turns_.disconnect();
    switch (recourse) {
      case Recourse::none:
        throw;
      case Recourse::fit_tables:
        return fit_tables(failure);
      case Recourse::alone:
        base::log(base::Level::debug, std::string(failure.what()) + "; going on one by one");
        turns_.rest();
        break;
      case Recourse::again:
        if (in_doubt && !named_)
          throw Error(Exit::unreachable,
                      std::string(failure.what()) +
                          "; whether the last batch was committed is not known: compare before going on");
        if (backoff_.wait(failure.what())) break;
        if (base::stop_requested()) return Outcome::stopped;
        throw;
      case Recourse::in_order:
      case Recourse::apart:
        base::log(base::Level::debug,
                  std::string(failure.what()) + "; trying these changes " +
                      (recourse == Recourse::apart ? "transaction by transaction" : "in the primary's order"));
        prepared.piece.in_order = true;
        break;
    }
    if (!connect()) return Outcome::stopped;
    if (piece.ends_batch && named_ && at_.lsn == piece.position.lsn) {
      base::log(base::Level::info, "the commit of " + at_.lsn.text() + " was in doubt; it had landed");
      written(piece, conflicts, results);
      return Outcome::ended;
    }
    account_.take_back();
    if (at_.lsn < before.lsn && cursor_ != nullptr) {
      base::log(base::Level::info, node_.name + ": came back at " + at_.lsn.text() + ", without what it had not " +
                                       "flushed up to " + before.lsn.text() + "; reading that again");
      return Outcome::read_again;
    }
    if (at_.lsn != before.lsn)
      throw Error(Exit::try_later, node_.name + ": progress went from " + before.lsn.text() + " to " + at_.lsn.text() +
                                       " meanwhile: another apply is at work there; stop one of the two");
    if (recourse == Recourse::apart) return write_apart(prepared);
    if (whole && piece.ends_batch) return {};
    if (prepared.piece.in_order) limits_.in_order_until = std::max(limits_.in_order_until, piece.last_lsn);
    return Outcome::read_again;
  }

  // A new session sees the tables as they are; the batch is read again, as its table wants it.
  Outcome fit_tables(const Error& failure) {
    if (!connect()) return Outcome::stopped;
    account_.take_back();
    if (const auto* misfit = dynamic_cast<const Misfit*>(&failure))
      drift_.met(*misfit, turns_.leading(), at_);
    else
      looked_anew_ = true;
    return Outcome::read_again;
  }

  void commit(const Piece& piece) {
    // What goes to quarantine, or comes out of it, may not come again.
    const bool durable = incidents_.any() || durably();
    incidents_.before_commit();
    turns_.leading().commit(at_, piece.position, durable);
    at_ = piece.position;
    durable_ = durable;
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
    turns_.disconnect();
    sequences_ = {};
    for (;;) {
      try {
        const Position now = turns_.connect();
        if (!named_) return true;
        at_ = now;
        durable_ = false;  // it may be the unflushed commit of a run that was killed
        incidents_.load(now.lsn);
        account_.back_to(now.lsn);
        return true;
      } catch (const base::Transient& failure) {
        if (backoff_.wait(failure.what())) continue;
        if (base::stop_requested()) return false;
        throw;
      }
    }
  }

  void written(const Piece& piece, const Conflicts& conflicts, const Results& results) {
    account_.add(piece, results);
    if (!piece.ends_batch) return;
    looked_anew_ = false;
    backoff_.succeeded();
    account_.commit(piece.position.lsn, piece.commits.size(), conflicts, durable_);
    if (milestone_.is_due()) publish(piece.position.end_lsn);
  }

  void publish(change::Lsn covered) {
    if (durable_) milestone_.set(at_, covered, incidents_.tables);
  }

  void tell() const {
    const Totals& totals = account_.totals();
    if (totals.transactions == 0 && !turns_.connected()) return;
    std::string line = node_.name + ": applied " + std::to_string(totals.operations) + " operations in " +
                       std::to_string(totals.transactions) + " transactions, up to " + at_.lsn.text();
    if (totals.conflicts.total() > 0) line += "; conflicts: " + totals.conflicts.text();
    if (const size_t held = incidents_.quarantine.size(); held > 0)
      line += "; in quarantine: " + std::to_string(held) + " operations, see pgtandem queue dead list";
    for (const auto& [table, what] : incidents_.tables.paused()) line += "; paused: " + table;
    base::log(options_.pin ? base::Level::debug : base::Level::info, line);  // who mends says it himself
  }

  const config::Settings& settings_;
  const Options& options_;
  const config::Node& node_;
  Source& source_;
  std::optional<change::Source> named_;
  spool::CursorFile* cursor_;
  Account account_;
  Milestone milestone_;
  Incidents incidents_;
  Turns turns_;
  Drift drift_;
  const bool can_read_again_;  // of what is durable, and of the batch before: what a crash takes back can be read again
  Sequences sequences_;
  Position at_;            // of the last commit
  bool durable_ = false;   // it survives a crash of the standby
  bool has_next_ = false;  // the batch after the one in hand is there
  base::Backoff backoff_;
  Limits limits_;
  const Feed* feed_ = nullptr;
  std::unique_ptr<Hold> hold_;
  std::optional<state::Gate> gate_;  // none: no switch counts
  bool held_ = false;                // going to where somebody wants it, whatever the switch says
  bool looked_anew_ = false;         // at the tables, for the batch in hand
};

}  // namespace

base::Exit from_spool_to_standby(const config::Settings& settings, const Options& options) {
  const std::string& node = settings.secondary(options.node).name;
  if (!options.follow &&
      state::is_switched_off(settings.state_directory, settings.synchronization.auto_sync_enabled, node))
    return Exit::done;
  const std::unique_ptr<Source> source = from_spool(settings);
  spool::CursorFile cursor(settings.spool.directory, node);
  Options bounded = options;
  if (!options.follow && !options.until) bounded.until = spool::read_mark(settings.spool.directory)->lsn;
  return Run(settings, bounded, *source, &cursor).to_end();
}

change::Lsn bring_to(const config::Settings& settings, const std::string& node, spool::CursorFile& cursor,
                     change::Lsn until) {
  const std::unique_ptr<Source> source = from_spool(settings);
  const Options options{.node = node, .until = until, .report = {}, .holdable = false, .pin = {}};
  Run run(settings, options, *source, &cursor);
  run.to_end();
  return run.at();
}

base::Exit from_stream_to_standby(const config::Settings& settings, const Options& options, Source& stream) {
  const std::string standby = settings.secondary(options.node).name;
  // Else changes of a held row would pass its letter, and a retry take them back.
  if (stream.named() && !spool::dead_letters(settings.spool.directory, standby).empty())
    throw Error(Exit::data, standby +
                                ": operations are in quarantine, which stdin must not pass; apply from the spool, " +
                                "or retry or drop them first (pgtandem queue dead list)");
  return from_source_to_standby(settings, options, stream);
}

base::Exit from_source_to_standby(const config::Settings& settings, const Options& options, Source& source) {
  return Run(settings, options, source, nullptr).to_end();
}

}  // namespace apply
