#include "compare/cut.hpp"

#include <algorithm>
#include <utility>

#include "apply/piece.hpp"
#include "apply/progress.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "compare/catch_up.hpp"
#include "compare/holder.hpp"
#include "compare/same_server.hpp"
#include "compare/slot_snapshot.hpp"
#include "pg/error.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"

namespace compare {
namespace {

using base::Exit;
using base::Transient;

// s that the applier may stand still while a slot waits for writers; with the usual ones it takes 0.1 to 0.4.
constexpr double slot_patience = 2;
constexpr double look_every = 0.1;   // s between looks at a writer that is waited for
constexpr uint64_t near = 16 << 20;  // bytes of WAL that are brought over within a cut's own time

// The cut cannot be exact; why.
struct NotExact {
  std::string why;
};

}  // namespace

struct Cut::State {
  const config::Settings& settings;
  CutOptions options;
  const config::Node& primary_node;
  const config::Node& standby_node;
  double deadline;
  std::optional<spool::Mark> mark;  // none: the two are not linked

  change::Lsn lsn;
  change::Lsn standby_lsn;
  int64_t time_us = 0;
  bool exact = false;
  std::string why_not;
  std::string primary_snapshot;
  std::string standby_snapshot;
  std::unique_ptr<pg::Session> primary;
  std::unique_ptr<pg::Session> standby;
  std::unique_ptr<pg::Session> watch;          // on the primary, for questions outside of its snapshot
  std::unique_ptr<pg::Session> standby_watch;  // the same on the standby
  std::unique_ptr<apply::Lease> lease;         // last: it goes first

  State(const config::Settings& s, const CutOptions& o)
      : settings(s),
        options(o),
        primary_node(s.primary(o.primary)),
        standby_node(s.secondary(o.node)),
        deadline(base::monotonic_seconds() + (o.limit > 0 ? o.limit : s.synchronization.sync_timeout)),
        mark(spool::read_mark(s.spool.directory)) {}

  pg::Session& asking(std::unique_ptr<pg::Session>& session, const config::Node& node) {
    if (!session)
      session = std::make_unique<pg::Session>(
          node, pg::SessionOptions{.purpose = "pgtandem cut", .answer_timeout = settings.synchronization.sync_timeout});
    return *session;
  }

  bool late() const { return base::monotonic_seconds() >= deadline; }

  void make() {
    asking(watch, primary_node);  // an unreachable primary is no reason for another kind of cut
    if (!options.exact) why_not = "not asked for";
    if (!mark) why_not = "the queue " + settings.spool.directory.string() + " is not founded (capture init)";
    if (!why_not.empty()) return make_plain();
    try {
      come_near();
      while (!try_exact()) {
        if (base::stop_requested()) throw Transient(Exit::try_later, "a stop was requested");
        if (late()) throw NotExact{"the applier went past the place where it was held, again and again"};
      }
      exact = true;
    } catch (const NotExact& reason) {
      why_not = reason.why;
      give_up();
      base::log(base::Level::warn, why_not + "; comparing without an exact cut");
      make_plain();
    }
  }

  // Where no service does it: a backlog is brought over before anything is locked, for whoever wants a table of the
  // primary would wait for it, and everybody behind him. It does not count against the limit.
  void come_near() {
    change::Lsn end;
    change::Lsn::parse(watch->query("SELECT pg_catalog.pg_current_wal_insert_lsn()").get(0, 0), end);
    const std::optional<spool::Cursor> cursor = spool::read_cursor(settings.spool.directory, standby_node.name);
    const change::Lsn done = std::min(mark->lsn, cursor ? cursor->end_lsn : change::Lsn{});
    if (end.value - done.value <= near) return;
    const double began = base::monotonic_seconds();
    try {
      apply::Lease own(settings, standby_node.name, deadline);
      if (!own.alone()) return;
      bring_queue_to(settings, primary_node.name, *watch, end, deadline);
      own.go_to(end);
      own.arrive(deadline);
    } catch (const Transient& failure) {
      if (base::stop_requested()) throw;
      base::log(base::Level::debug, failure.what());  // the cut itself will meet it, and say so
    }
    deadline += base::monotonic_seconds() - began;
  }

  // In the snapshot itself: the name may lead to another server by now, after a failover.
  void export_primary() {
    primary_snapshot = export_snapshot(*primary);
    if (mark) check_same_server(*primary, mark->source);
  }

  void give_up() {
    lease.reset();
    primary.reset();
    standby.reset();
  }

  // False where the applier turned out to be elsewhere.
  bool try_exact() {
    give_up();
    primary = open_holder(settings, primary_node, options.tables, deadline);
    take_slot_snapshot();
    export_primary();
    try {
      lease->go_to(lsn);
      bring_queue_to(settings, primary_node.name, *watch, lsn, deadline);
      standby_lsn = lease->arrive(deadline);
    } catch (const apply::LeaseLost& failure) {  // an incremental pass was at its end, say
      if (late()) throw NotExact{failure.what()};
      base::log(base::Level::debug, std::string(failure.what()) + "; making another cut");
      return false;
    } catch (const Transient& failure) {
      if (base::stop_requested()) throw;
      throw NotExact{failure.what()};
    }
    // After it has arrived: on its way the applier may have to truncate what this locks.
    standby = open_holder(settings, standby_node, options.tables, deadline);
    const change::Lsn there = apply::read_progress(*standby, mark->source).lsn;
    if (there != standby_lsn) {
      base::log(base::Level::debug, standby_node.name + ": is at " + there.text() + " and not at " +
                                        standby_lsn.text() + "; making another cut");
      return false;
    }
    standby_snapshot = export_snapshot(*standby);
    if (!options.hold) lease.reset();
    return true;
  }

  // With the applier held, lest it goes past; but not while the slot waits for somebody who writes for long.
  void take_slot_snapshot() {
    bool told = false;
    for (;;) {
      try {
        lease = std::make_unique<apply::Lease>(settings, standby_node.name, deadline);
      } catch (const Transient& failure) {
        if (base::stop_requested()) throw;
        throw NotExact{failure.what()};
      }
      time_us = base::unix_microseconds();
      try {
        const double patience = std::clamp(deadline - base::monotonic_seconds(), 0.1, slot_patience);
        lsn = import_slot_snapshot(settings, primary_node, *primary, patience);
      } catch (const base::Error& refused) {
        const bool of_server = dynamic_cast<const pg::SqlError*>(&refused) || dynamic_cast<const Transient*>(&refused);
        if (!of_server || base::stop_requested()) throw;
        throw NotExact{refused.what()};
      }
      if (lsn.value != 0) return;
      give_up();  // who wants to truncate goes first, too
      const Writer writer = oldest_writer(*watch);
      const std::string why = primary_node.name + ": a snapshot has to wait for a transaction that writes: " +
                              (writer.xid.empty() ? "none is left" : writer.text);
      if (!std::exchange(told, true)) base::log(base::Level::info, why);
      while (!writer.xid.empty() && !late() && still_writes(*watch, writer))
        if (base::sleep_or_stop(look_every)) throw Transient(Exit::try_later, "a stop was requested");
      if (late()) throw NotExact{why};
      primary = open_holder(settings, primary_node, options.tables, deadline);
    }
  }

  void make_plain() {
    const double soon = std::max(deadline, base::monotonic_seconds() + settings.synchronization.sync_timeout);
    primary = open_holder(settings, primary_node, options.tables, soon);
    time_us = base::unix_microseconds();
    export_primary();
    change::Lsn::parse(primary->query("SELECT pg_catalog.pg_current_wal_insert_lsn()").get(0, 0), lsn);
    standby = open_holder(settings, standby_node, options.tables, soon);
    if (mark) standby_lsn = apply::read_progress(*standby, mark->source).lsn;
    standby_snapshot = export_snapshot(*standby);
  }
};

Cut::Cut(const config::Settings& settings, const CutOptions& options)
    : state_(std::make_unique<State>(settings, options)) {
  state_->make();
}

Cut::~Cut() = default;

change::Lsn Cut::lsn() const { return state_->lsn; }
int64_t Cut::time_us() const { return state_->time_us; }
change::Lsn Cut::standby_lsn() const { return state_->standby_lsn; }
bool Cut::exact() const { return state_->exact; }
const std::string& Cut::why_not() const { return state_->why_not; }
const std::string& Cut::primary_snapshot() const { return state_->primary_snapshot; }
const std::string& Cut::standby_snapshot() const { return state_->standby_snapshot; }
pg::Session& Cut::primary() { return *state_->primary; }
pg::Session& Cut::standby() { return *state_->standby; }
apply::Lease* Cut::lease() { return state_->lease.get(); }
void Cut::release() { state_->lease.reset(); }

void Cut::leave_standby() { state_->standby.reset(); }

std::string Cut::in_the_way() {
  State& s = *state_;
  std::string out;
  const auto look = [&](pg::Session& holder, pg::Session& session, const config::Node& node) {
    const std::string pid(holder.query("SELECT pg_catalog.pg_backend_pid()").get(0, 0));
    const std::string who = waiting_for(session, pid);
    if (!who.empty()) out += (out.empty() ? "" : "; ") + node.name + ": " + who;
  };
  look(*s.primary, s.asking(s.watch, s.primary_node), s.primary_node);
  if (s.standby) look(*s.standby, s.asking(s.standby_watch, s.standby_node), s.standby_node);
  return out;
}

}  // namespace compare
