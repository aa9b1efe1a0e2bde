#include "compare/recheck.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"
#include "compare/catch_up.hpp"
#include "compare/same_server.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"
#include "spool/mark.hpp"

namespace compare {
namespace {

using change::Relation;

// s that commits may wait for a synchronous standby while the applier is held; looked at again later.
constexpr double patience = 2;
constexpr double ask_every = 0.1;

// A type to cast to. A length of varchar or varbit would cut a value that is too long, and hide what differs.
std::string cast_to(const std::string& declared) {
  for (const char* varying : {"character varying", "bit varying"})
    if (declared.starts_with(varying)) return varying;
  return declared;
}

class Recheck {
 public:
  Recheck(const config::Settings& settings, const RecheckOptions& options, std::span<const Suspect> suspects,
          const std::function<void(const Looked&)>& held)
      : settings_(settings),
        options_(options),
        suspects_(suspects),
        held_(held),
        verdicts_(suspects.size()),
        before_(suspects.size()) {
    for (const Suspect& suspect : suspects)
      if (std::find(tables_.begin(), tables_.end(), suspect.relation->table) == tables_.end())
        tables_.push_back(suspect.relation->table);
  }

  std::vector<Verdict> run() {
    std::vector<size_t> all(suspects_.size());
    std::iota(all.begin(), all.end(), size_t{0});
    if (options_.exact && at_a_cut(all)) return std::move(verdicts_);
    for (int round = 0; round < options_.rounds && !all.empty(); ++round) without_a_slot(all);
    return std::move(verdicts_);
  }

 private:
  bool at_a_cut(const std::vector<size_t>& which) {
    Cut cut(settings_, {.primary = options_.primary,
                        .node = options_.node,
                        .tables = tables_,
                        .limit = options_.limit,
                        .exact = true,
                        .hold = true});
    if (!cut.exact()) return false;
    const auto meanwhile = [&] { return !goes_on(*cut.lease()); };
    RowLook primary(cut.primary(), meanwhile);
    RowLook standby(cut.standby(), meanwhile);
    const std::vector<SeenRow> there = look(primary, which, true);
    cut.lease()->keep();
    const std::vector<SeenRow> here = look(standby, which, false);
    cut.lease()->keep();
    for (size_t i = 0; i < which.size(); ++i) judge(which[i], there[i], here[i], standby, cut.standby(), true);
    tell({cut.lsn(), cut.standby_lsn(), which, verdicts_, [&] { cut.lease()->keep(); }});
    return true;
  }

  // What is settled leaves `which`.
  void without_a_slot(std::vector<size_t>& which) {
    const double deadline =
        base::monotonic_seconds() + (options_.limit > 0 ? options_.limit : settings_.synchronization.sync_timeout);
    const config::Node& primary_node = settings_.primary(options_.primary);
    const config::Node& standby_node = settings_.secondary(options_.node);
    const pg::SessionOptions plain{.purpose = "pgtandem recheck",
                                   .answer_timeout = settings_.synchronization.sync_timeout};
    pg::Session primary_session(primary_node, plain);
    check_same_server(primary_session, spool::require_mark(settings_.spool.directory).source);
    pg::Session standby_session(standby_node, plain);
    apply::Lease lease(settings_, standby_node.name, deadline);
    const auto meanwhile = [&] { return !goes_on(lease); };
    RowLook primary(primary_session, meanwhile);
    RowLook standby(standby_session, meanwhile);
    const std::vector<SeenRow> before = look(primary, which, true, false);
    change::Lsn lsn;
    change::Lsn::parse(primary_session.query("SELECT pg_catalog.pg_current_wal_insert_lsn()").get(0, 0), lsn);
    const std::string invisible = perhaps_invisible(primary_session);
    lease.go_to(lsn);
    bring_queue_to(settings_, primary_node.name, primary_session, lsn, deadline);
    const change::Lsn at = lease.arrive(deadline);
    const std::vector<SeenRow> here = look(standby, which, false);
    lease.keep();
    if (!visible(primary_session, invisible)) return;
    const std::vector<SeenRow> after = look(primary, which, true);
    lease.keep();
    std::vector<size_t> settled;
    std::vector<size_t> open;
    for (size_t i = 0; i < which.size(); ++i) {
      if (before[i].version != after[i].version || before[i].copies != after[i].copies) {
        open.push_back(which[i]);
        continue;
      }
      judge(which[i], after[i], here[i], standby, standby_session, false);
      (may_have_passed(which[i]) ? open : settled).push_back(which[i]);
    }
    which = std::move(open);
    tell({lsn, at, std::move(settled), verdicts_, [&] { lease.keep(); }});
  }

  // A row that came and went between the primary's two looks is on the standby by right, where its end is still to
  // come. One that is there on the standby in the next round, too, unwritten, came otherwise. A row that the primary
  // has, and that nobody wrote, was the same all the time.
  bool may_have_passed(size_t which) {
    Verdict& now = verdicts_[which];
    const bool keyed = suspects_[which].relation->identity != change::Identity::full;
    if (!options_.twice || now.kind != Verdict::Kind::differs || (keyed && now.primary.copies > 0)) return false;
    const bool again = before_[which] && unwritten(*before_[which], now);
    before_[which] = now;
    if (!again) now.kind = Verdict::Kind::unsettled;
    return !again;
  }

  static bool goes_on(apply::Lease& lease) {
    try {
      lease.keep();
      return !base::stop_requested();
    } catch (const base::Error&) {  // which is thrown when it is asked next
      return false;
    }
  }

  // Transactions of which a commit may be in the WAL already, and so on the standby, though the primary does not show
  // it yet: it waits for a synchronous standby (RecordTransactionCommit() in xact.c waits before the transaction leaves
  // the list of those that run, and so before it gives up the lock on its own number). Nothing where there is no such
  // wait.
  static std::string perhaps_invisible(pg::Session& primary) {
    const pg::Result running = primary.query(
        "SELECT pg_catalog.array_agg(transactionid)::text FROM pg_catalog.pg_locks "
        "WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND "
        "pg_catalog.current_setting('synchronous_standby_names') <> ''");
    return std::string(running.get(0, 0));
  }
  static bool visible(pg::Session& primary, const std::string& transactions) {
    if (transactions.empty()) return true;
    const double until = base::monotonic_seconds() + patience;
    do {
      const pg::Result left = primary.query(
          "SELECT FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND "
          "transactionid = ANY ($1::pg_catalog.xid[])",
          {transactions});
      if (left.rows() == 0) return true;
    } while (base::monotonic_seconds() < until && !base::sleep_or_stop(ask_every));
    return false;
  }

  void tell(const Looked& looked) {
    if (held_) held_(looked);
  }

  // Table by table, in one statement each. A filter is the primary's: the standby has what it lets through.
  std::vector<SeenRow> look(RowLook& side, const std::vector<size_t>& which, bool filtered, bool values = true) {
    std::map<const Relation*, std::vector<size_t>> tables;
    for (size_t i = 0; i < which.size(); ++i) tables[suspects_[which[i]].relation].push_back(i);
    std::vector<SeenRow> out(which.size());
    for (const auto& [relation, places] : tables) {
      std::vector<RowKey> keys;
      for (const size_t place : places) keys.emplace_back(suspects_[which[place]].key);
      const auto filter = settings_.filters.tables.find(relation->table);
      const bool has_where = filtered && filter != settings_.filters.tables.end() && !filter->second.where.empty();
      std::vector<SeenRow> rows =
          side.find(*relation, keys, has_where ? pg::quote_condition(filter->second.where) : "", values);
      for (size_t i = 0; i < places.size(); ++i) out[places[i]] = std::move(rows[i]);
    }
    return out;
  }

  void judge(size_t which, SeenRow there, SeenRow here, RowLook& standby, pg::Session& session, bool begun) {
    Verdict& verdict = verdicts_[which];
    const bool same =
        there.copies == here.copies &&
        (there.values == here.values || same_there(*suspects_[which].relation, there, here, standby, session, begun));
    verdict = {same ? Verdict::Kind::equal : Verdict::Kind::differs, std::move(there), std::move(here)};
  }

  // Where a column is declared with another length or scale on the standby, the primary's value is there what that
  // makes of it.
  bool same_there(const Relation& relation, const SeenRow& there, const SeenRow& here, RowLook& standby,
                  pg::Session& session, bool begun) {
    if (there.values.size() != here.values.size()) return false;
    const std::vector<std::string>& types = standby.declared(relation);
    std::string select;
    std::vector<pg::Parameter> values;
    std::vector<size_t> columns;
    for (size_t c = 0; c < relation.columns.size(); ++c) {
      if (there.values[c] == here.values[c]) continue;
      if (!there.values[c] || !here.values[c]) return false;
      values.emplace_back(*there.values[c]);
      columns.push_back(c);
      select += (select.empty() ? "SELECT $" : ", $") + std::to_string(values.size()) + "::text::" + cast_to(types[c]);
    }
    const std::optional<pg::Result> row = if_taken(session, begun, select, values);
    if (!row) return false;
    for (size_t i = 0; i < columns.size(); ++i)
      if (row->get(0, static_cast<int>(i)) != *here.values[columns[i]]) return false;
    return true;
  }

  // None where the standby's types do not take a value. A cut's session is within a transaction, which goes on.
  static std::optional<pg::Result> if_taken(pg::Session& session, bool begun, const std::string& sql,
                                            std::span<const pg::Parameter> values) {
    if (begun) session.query("SAVEPOINT pgtandem_cast");
    try {
      pg::Result row = session.query(sql, values);
      if (begun) session.query("RELEASE SAVEPOINT pgtandem_cast");
      return row;
    } catch (const pg::SqlError& refused) {
      if (!pg::is_refusal_of_rows(refused)) throw;
      if (begun) session.query("ROLLBACK TO SAVEPOINT pgtandem_cast; RELEASE SAVEPOINT pgtandem_cast");
      return {};
    }
  }

  const config::Settings& settings_;
  const RecheckOptions& options_;
  std::span<const Suspect> suspects_;
  const std::function<void(const Looked&)>& held_;
  std::vector<Verdict> verdicts_;
  std::vector<std::optional<Verdict>> before_;  // of those that differed, but perhaps for a moment only
  std::vector<base::TableName> tables_;
};

}  // namespace

bool unwritten(const Verdict& before, const Verdict& now) {
  return before.primary.copies == now.primary.copies && before.primary.version == now.primary.version &&
         before.standby.copies == now.standby.copies && before.standby.version == now.standby.version;
}

std::vector<Verdict> recheck(const config::Settings& settings, const RecheckOptions& options,
                             std::span<const Suspect> suspects, const std::function<void(const Looked&)>& held) {
  return Recheck(settings, options, suspects, held).run();
}

}  // namespace compare
