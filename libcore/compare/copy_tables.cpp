#include "compare/copy_tables.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "apply/lease.hpp"
#include "apply/progress.hpp"
#include "apply/sequences.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "compare/copy_plan.hpp"
#include "compare/cut.hpp"
#include "compare/give_way.hpp"
#include "compare/kept_rows.hpp"
#include "compare/pairing.hpp"
#include "compare/reference_depth.hpp"
#include "compare/side.hpp"
#include "pg/copy_through.hpp"
#include "pg/quote.hpp"
#include "spool/mark.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;

constexpr double week = 7 * 86400;  // s: the rows of a very large table may take days, and no statement hangs by itself
constexpr double tell_every = 30;   // s between lines of progress
constexpr double keep_every = 3;    // s between signs of life to the applier that is held
constexpr const char* sort_memory = "262144";  // kB, at least, for the indexes
// Foreign keys that are to be checked at the end of the transaction, where the role cannot keep them from that: until
// then the server alters and truncates no table that they are of (55006).
constexpr const char* check_now = "SET CONSTRAINTS ALL IMMEDIATE";
// Tables at a time: a copy keeps one core of ours, and one or two of each server's, at work.
constexpr unsigned most_jobs = 4;

class Copies {
 public:
  Copies(const config::Settings& settings, const CopyOptions& options, const CopyTold& told, Cut& cut)
      : settings_(settings),
        options_(options),
        told_(told),
        cut_(cut),
        tables_(options.tables),
        source_(spool::require_mark(settings.spool.directory).source),
        pin_(settings.secondary(options.node),
             {.purpose = "pgtandem apply", .writes_as_replica = true, .answer_timeout = week}) {}

  void print(const std::function<void(std::string_view)>& print) {
    for (const base::TableName& table : tables_) {
      const CopyPlan plan = plan_copy(cut_.primary(), pin_, table, filter_of(table), false);
      print("-- the first copy of " + table.text() + " at " + cut_.lsn().text() + "\n-- " + plan.out +
            (plan.truncate.empty() ? "" : "\n-- " + plan.truncate) + "\n-- " + plan.in + "\n");
    }
  }

  void run() {
    pin_.lift_transaction_timeout();
    pin_.query("BEGIN");
    apply::pin_progress(pin_, source_, cut_.standby_lsn());
    // Where foreign keys are checked, what is referenced has to be there: one after the other.
    const bool ordered = !pin_.replica_role();
    if (ordered) {
      const std::map<base::TableName, size_t> depth = reference_depth(pin_, tables_);
      std::ranges::stable_sort(tables_, {}, [&](const base::TableName& table) { return depth.at(table); });
    }
    const size_t jobs = ordered ? 1 : std::clamp(std::thread::hardware_concurrency(), 1U, most_jobs);
    std::vector<std::function<void()>> tasks;
    for (size_t job = 0; job < std::min(jobs, tables_.size()); ++job) tasks.emplace_back([this] { work(); });
    double kept = base::monotonic_seconds();
    bool held = true;
    GiveWay way(cut_);
    run_together(std::move(tasks), [&] {
      way.look();  // nobody who wants a table of the primary waits for a copy; what is not done begins again
      if (!held || base::monotonic_seconds() < kept + keep_every) return;
      kept = base::monotonic_seconds();
      try {
        cut_.lease()->keep();
      } catch (const Error&) {  // it can do no harm: the progress row is pinned, there the applier waits
        held = false;
      }
    });
    pin_.query("COMMIT");
  }

 private:
  const config::TableFilter* filter_of(const base::TableName& table) const {
    const auto filter = settings_.filters.tables.find(table);
    return filter == settings_.filters.tables.end() ? nullptr : &filter->second;
  }

  void work() {
    for (size_t i = next_++; i < tables_.size() && !should_end(); i = next_++) {
      const base::TableName& table = tables_[i];
      try {
        const uint64_t rows = copy(table);
        const std::lock_guard lock(mutex_);
        told_.copied(table, rows);
      } catch (const Error& failure) {
        if (!told_.failed || (failure.kind() != Exit::data && failure.kind() != Exit::no_right)) throw;
        const std::lock_guard lock(mutex_);
        told_.failed(table, failure);
      }
    }
  }

  // With the table locked: from here on the applier could not write it, even if it went on.
  void check_pin() {
    const std::lock_guard lock(mutex_);
    pin_.query("SELECT");
  }

  uint64_t copy(const base::TableName& table) {
    const double begun = base::monotonic_seconds();
    const bool filtered = !settings_.filters.program.empty();
    pg::Session primary(settings_.primary(options_.primary), {.purpose = "pgtandem apply", .answer_timeout = week});
    primary.lift_transaction_timeout();
    primary.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    primary.query("SET TRANSACTION SNAPSHOT " + pg::quote_literal(cut_.primary_snapshot()));
    primary.query("SET LOCAL statement_timeout = 0");  // rows come as fast as they can be written
    pg::Session standby(settings_.secondary(options_.node),
                        {.purpose = "pgtandem apply", .writes_as_replica = true, .answer_timeout = week});
    CopyPlan plan = plan_copy(primary, standby, table, filter_of(table), filtered);
    std::optional<KeptRows> kept;
    if (filtered) kept.emplace(settings_, cut_.lsn(), read_pairing(primary, standby, table, settings_).pair.relation);
    standby.query("SET lock_timeout = " +
                  std::to_string(static_cast<long>(settings_.synchronization.sync_timeout * 1000)));
    standby.lift_transaction_timeout();
    standby.query("BEGIN");
    standby.query("LOCK TABLE " + plan.rows +
                  (plan.shuts_out_readers() ? " IN ACCESS EXCLUSIVE MODE" : " IN SHARE ROW EXCLUSIVE MODE"));
    check_pin();
    const uint64_t since = standby.query("DELETE FROM " + plan.rows).affected();
    if (since > 0)
      base::log(base::Level::info, standby.node() + ": " + table.text() + ": " + std::to_string(since) +
                                       " rows that came meanwhile are in the copy, too");
    if (since > 0 && !plan.truncate.empty())
      standby.query(check_now);  // no other table refers to them
    else if (since > 0 && !standby.replica_role())
      plan.drop = plan.create = {};  // one may, until they are there again
    for (const std::string& drop : plan.drop) standby.query(drop);
    if (!plan.truncate.empty()) standby.query(plan.truncate);
    if (!plan.slow.empty())
      base::log(base::Level::info, standby.node() + ": " + table.text() +
                                       " keeps its indexes while it is filled, which takes longer: the role " +
                                       plan.slow);
    double told = begun;
    const auto tell = [&](const pg::Copied& so_far) {
      const double now = base::monotonic_seconds();
      if (now < told + tell_every) return;
      told = now;
      base::log(base::Level::info,
                standby.node() + ": copying " + table.text() + ": " + std::to_string(so_far.bytes >> 20) + " MiB, " +
                    std::to_string(static_cast<long>(static_cast<double>(so_far.bytes >> 20) / (now - begun))) +
                    " MiB/s");
    };
    const pg::Copied copied =
        pg::copy_through(primary, plan.out, standby, plan.in, should_end, tell,
                         kept ? [&](std::string_view rows) { return kept->of(rows); } : pg::PassRows());
    if (!plan.create.empty()) {
      standby.query(check_now);
      standby.query("SET LOCAL default_tablespace = ''");  // as theirs was; the role may have another one
      standby.query(std::string("SELECT pg_catalog.set_config(name, greatest(setting::integer, ") + sort_memory +
                    ")::text, true) FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'");
    }
    for (const std::string& index : plan.create)
      if (!standby.query_until_stopped(index, {}, should_end))
        throw Error(Exit::try_later, "stopped before all tables were copied; start it again");
    apply::go_on_after_rows(standby, table);
    if (standby.query("COMMIT").tag() != "COMMIT")
      throw Error(Exit::bug, standby.node() + ": the copy of " + table.text() + " was not committed");
    base::log(base::Level::info, standby.node() + ": copied " + table.text() + " at " + cut_.lsn().text() + ": " +
                                     std::to_string(copied.rows) + " rows" +
                                     left_out_by_program(kept ? kept->left_out() : 0) + ", " +
                                     std::to_string(copied.bytes >> 20) + " MiB" + (plan.binary ? "" : " as text") +
                                     ", " + std::to_string(plan.create.size()) + " indexes made anew, in " +
                                     std::to_string(static_cast<long>(base::monotonic_seconds() - begun)) + " s");
    return copied.rows;
  }

  const config::Settings& settings_;
  const CopyOptions& options_;
  const CopyTold& told_;
  Cut& cut_;
  std::vector<base::TableName> tables_;  // in the order in which they are begun
  const change::Source source_;
  pg::Session pin_;  // holds the progress row until all is committed
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
};

}  // namespace

void copy_tables(const config::Settings& settings, const CopyOptions& options, const CopyTold& told,
                 const std::function<void(std::string_view)>& print) {
  Cut cut(settings, {.primary = options.primary,
                     .node = options.node,
                     .tables = options.tables,
                     .limit = options.limit,
                     .exact = true,
                     .hold = true});
  if (!cut.exact())
    throw Error(Exit::try_later, cut.why_not() + "; " + options.tables.front().text() +
                                     (options.tables.size() > 1 ? " and others are" : " is") +
                                     " not copied, for rows of another moment would not fit the changes that follow");
  cut.leave_standby();  // our own lock would be in the way
  Copies copies(settings, options, told, cut);
  if (print)
    copies.print(print);
  else
    copies.run();
}

}  // namespace compare
