#include "apply/run.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "apply/delivery.hpp"
#include "apply/drift.hpp"
#include "apply/feed.hpp"
#include "apply/hold.hpp"
#include "apply/interlude.hpp"
#include "apply/source.hpp"
#include "apply/standing.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"
#include "pg/rights.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"
#include "state/gate.hpp"
#include "state/service.hpp"

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
      : options_(options),
        source_(source),
        standing_(settings, options, source.named(), cursor),
        drift_(settings, standing_.node, standing_.named, standing_.incidents),
        delivery_(standing_, drift_, [this] { return has_next_ || feed_->more(); }),
        interlude_(standing_, drift_, options.follow) {
    const config::Synchronization& sync = settings.synchronization;
    limits_ = {static_cast<uint64_t>(sync.batch_size), static_cast<uint64_t>(sync.max_queue_size), options.until, {}};
    if (standing_.from_spool && options.holdable)
      hold_ = std::make_unique<Hold>(settings, standing_.node, [this] { source_.abandon(); });
    if (hold_ && options.follow) gate_.emplace(settings.state_directory, sync.auto_sync_enabled);
  }

  change::Lsn at() const { return standing_.at.lsn; }

  Exit to_end() {
    try {
      const Exit exit = go_on();
      standing_.account.ended(exit);
      return exit;
    } catch (const pg::SqlError& refused) {
      standing_.account.failed(refused.what(), refused.kind());
      pg::throw_refusal(refused, "apply init");
    } catch (const Error& failure) {
      standing_.account.failed(failure.what(), failure.kind());
      throw;
    }
  }

 private:
  Exit go_on() {
    const std::map<std::string, Paused>& paused = standing_.incidents.tables.paused();
    bool stopped = !standing_.connect();
    while (!stopped) {
      if (!standing_.from_spool && !paused.empty())
        throw Error(Exit::data, standing_.node.name + ": table " + paused.begin()->first +
                                    " is paused, and its changes wait in the queue; apply from there");
      Outcome outcome = feed(limits_, options_.follow);
      if (outcome == Outcome::ended) outcome = interlude_.settle();
      if (outcome == Outcome::called) outcome = be_held();
      if (outcome == Outcome::switched_off) outcome = wait_for_switch();
      if (outcome == Outcome::ended) break;
      stopped = outcome == Outcome::stopped;
    }
    standing_.publish(standing_.at.end_lsn);
    tell();
    const bool found = standing_.incidents.quarantine.size() > 0 || !paused.empty();
    return found && !options_.follow && !base::stop_requested() ? Exit::finding : Exit::done;
  }

  const std::atomic<bool>& called() const {
    static const std::atomic<bool> never{false};
    return hold_ ? hold_->called() : never;
  }

  Outcome feed(Limits limits, bool follow) {
    // The shapes that were read so far go with this; others may come to lie where they were.
    standing_.turns.forget_addresses();
    standing_.incidents.tables.forget_addresses();
    standing_.sequences = {};
    source_.rewind(standing_.at);
    limits.in_order_until = delivery_.in_order_until();
    limits.selection = standing_.incidents.tables.all_others();
    Feed feed(source_, limits, follow, standing_.settings.synchronization.sync_interval, called());
    feed_ = &feed;
    return drain(feed);
  }

  bool is_connected() { return standing_.turns.connected() || standing_.connect(); }

  // Somebody wants the standby to stand still at a place of his, for a moment. What was gathered ahead is gone, so
  // nothing beyond that place can be on its way.
  Outcome be_held() {
    if (!is_connected()) return Outcome::stopped;
    struct Ending {
      Hold& hold;
      bool& held;
      ~Ending() {
        hold.end();
        held = false;
      }
    } const ending{*hold_, held_};
    held_ = true;
    const std::optional<change::Lsn> until = hold_->begin(at());
    // A run with an end of its own is over soon, and then who asks is free to do it himself.
    if (until && (!limits_.until || *until <= *limits_.until)) {
      Outcome outcome = Outcome::read_again;
      while (outcome == Outcome::read_again) {
        Limits bounded = limits_;
        bounded.until = until;
        outcome = feed(bounded, false);
      }
      if (outcome == Outcome::stopped) return outcome;
      if (outcome == Outcome::ended && !called() && !base::stop_requested()) hold_->arrived(at());
    }
    return is_connected() ? Outcome::read_again : Outcome::stopped;
  }

  // Between two batches, connected and with nothing begun, until sync is enabled again. Who compares may hold it there.
  Outcome wait_for_switch() {
    if (!is_connected() || interlude_.settle() == Outcome::stopped) return Outcome::stopped;
    standing_.publish(standing_.at.end_lsn);
    while (!gate_->open_as(standing_.node.name)) {
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
    Feed::Item next;                         // taken already, if has_next_
    const Leaving leaving{standing_.turns};  // goes before these two: a thread may be reading them
    const Quarantine& quarantine = standing_.incidents.quarantine;
    bool whole = true;  // the batch has one piece, which is in `item`
    has_next_ = false;
    for (;;) {
      if (whole && called()) return Outcome::called;
      if (whole && gate_ && !held_ && !gate_->open()) return Outcome::switched_off;
      if (std::exchange(has_next_, false))
        item = std::move(next);
      else if (!feed.pop(item, std::min(drift_.due_in(), gate_ ? state::Gate::look_every : for_ever)))
        return called() ? Outcome::called : Outcome::ended;
      if (!item.prepared) {
        // A look at the gate; on a quiet day only here is it seen that `queue dead retry` wants something.
        const bool nothing_new = item.covered == change::Lsn() && drift_.due_in() > 0;
        const Outcome outcome = interlude_.settle();
        if (outcome != Outcome::ended) return outcome;
        if (!nothing_new) standing_.publish(item.covered);
        continue;
      }
      if (quarantine.touches(*item.prepared)) item.prepared->piece.in_order = true;
      const bool look = whole && drift_.due_in() <= 0;  // then nothing goes ahead of this batch
      if (standing_.can_read_again && whole && !look && feed.more()) {
        has_next_ = feed.pop(next, no_wait);
        if (has_next_ && next.prepared && !quarantine.touches(*next.prepared))
          standing_.turns.begin_ahead(*item.prepared, *next.prepared);
      }
      const Outcome outcome = delivery_.write(*item.prepared, whole);
      if (outcome != Outcome::ended) return outcome;
      whole = item.prepared->piece.ends_batch;
      if (!look || !whole) continue;
      const Outcome looked = interlude_.settle();
      if (looked != Outcome::ended) return looked;
    }
  }

  void tell() const {
    const Totals& totals = standing_.account.totals();
    if (totals.transactions == 0 && !standing_.turns.connected()) return;
    std::string line = standing_.node.name + ": applied " + std::to_string(totals.operations) + " operations in " +
                       std::to_string(totals.transactions) + " transactions, up to " + at().text();
    if (totals.conflicts.total() > 0) line += "; conflicts: " + totals.conflicts.text();
    if (const size_t held = standing_.incidents.quarantine.size(); held > 0)
      line += "; in quarantine: " + std::to_string(held) + " operations, see pgtandem queue dead list";
    for (const auto& [table, what] : standing_.incidents.tables.paused()) line += "; paused: " + table;
    // Who mends says it himself; and to who only compares it is no news that nothing had to be applied before that.
    const bool aside = options_.pin || (!options_.holdable && totals.transactions == 0);
    base::log(aside ? base::Level::debug : base::Level::info, line);
  }

  const Options& options_;
  Source& source_;
  Standing standing_;
  Drift drift_;
  Delivery delivery_;
  Interlude interlude_;
  bool has_next_ = false;  // the batch after the one in hand is there
  Limits limits_;
  const Feed* feed_ = nullptr;
  std::unique_ptr<Hold> hold_;
  std::optional<state::Gate> gate_;  // none: no switch counts
  bool held_ = false;                // going to where somebody wants it, whatever the switch says
};

}  // namespace

base::Exit from_spool_to_standby(const config::Settings& settings, const Options& options) {
  const std::string& node = settings.secondary(options.node).name;
  if (!options.follow &&
      state::is_switched_off(settings.state_directory, settings.synchronization.auto_sync_enabled, node))
    return Exit::done;
  const std::unique_ptr<Source> source = from_spool(settings);
  spool::CursorFile cursor(settings.spool.directory, node);
  std::optional<state::Service> service;
  if (options.follow) service.emplace(settings, "apply." + node);
  Options bounded = options;
  if (!options.follow && !options.until) bounded.until = spool::read_mark(settings.spool.directory)->lsn;
  return Run(settings, bounded, *source, &cursor).to_end();
}

change::Lsn bring_to(const config::Settings& settings, const std::string& node, spool::CursorFile& cursor,
                     change::Lsn until) {
  const std::unique_ptr<Source> source = from_spool(settings);
  const Options options{.node = node, .until = until, .report = {}, .holdable = false, .pin = {}, .refused = {}};
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
