#include "compare/copy_table.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "apply/lease.hpp"
#include "apply/progress.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "compare/copy_plan.hpp"
#include "compare/cut.hpp"
#include "pg/copy_through.hpp"
#include "pg/quote.hpp"
#include "spool/mark.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;

constexpr double day = 86400;      // s: an index of a large table may take hours, and no statement hangs by itself
constexpr double tell_every = 30;  // s between lines of progress
constexpr const char* sort_memory = "262144";  // kB, at least, for the indexes

// Says that we live while a statement takes long, and is the only one that uses the lease meanwhile. The progress row
// is pinned, so a lost lease can do no harm: the applier then waits there.
class Keeper {
 public:
  explicit Keeper(apply::Lease& lease)
      : lease_(lease), thread_([this] {
          std::unique_lock lock(mutex_);
          while (!changed_.wait_for(lock, std::chrono::seconds(3), [this] { return ended_; })) try {
              lease_.keep();
            } catch (const base::Error&) {
              return;
            }
        }) {}
  ~Keeper() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  apply::Lease& lease_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

// Sequences that fill columns of the table go on after the greatest value that is there, as apply lets them.
void set_sequences(pg::Session& session, const std::string& table) {
  const pg::Result owned = session.query(
      R"(SELECT pg_catalog.format('SELECT pg_catalog.setval(%L::pg_catalog.regclass, x) FROM (SELECT %s(%I)::bigint AS x '
                                  'FROM %s) m WHERE x BETWEEN %s AND %s',
                                  pg_catalog.format('%I.%I', n.nspname, c.relname),
                                  CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END, a.attname, $1::text,
                                  s.seqmin, s.seqmax)
           FROM pg_catalog.pg_depend d
           JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.refobjid = $1::pg_catalog.regclass AND d.deptype IN ('a', 'i')
            AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype)
            AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)",
      {table});
  for (int i = 0; i < owned.rows(); ++i) session.query(std::string(owned.get(i, 0)));
}

}  // namespace

uint64_t copy_table(const config::Settings& settings, const CopyOptions& options,
                    const std::function<void(std::string_view)>& print) {
  const double begun = base::monotonic_seconds();
  const std::string name = pg::quote_table(options.table);
  const change::Source source = spool::require_mark(settings.spool.directory).source;
  const auto filter = settings.filters.tables.find(options.table);
  Cut cut(settings, {.primary = options.primary,
                     .node = options.node,
                     .tables = {options.table},
                     .limit = options.limit,
                     .exact = true,
                     .hold = true});
  if (!cut.exact())
    throw Error(Exit::try_later,
                cut.why_not() + "; " + options.table.text() +
                    " is not copied, for rows of another moment would not fit the changes that follow");
  cut.leave_standby();  // our own lock would be in the way
  pg::Session standby(settings.secondary(options.node),
                      {.purpose = "pgtandem apply", .writes_as_replica = true, .answer_timeout = day});
  const CopyPlan plan = plan_copy(cut.primary(), standby, options.table,
                                  filter == settings.filters.tables.end() ? nullptr : &filter->second);
  if (print) {
    print("-- the first copy of " + options.table.text() + " at " + cut.lsn().text() + "\n-- " + plan.out + "\n-- " +
          plan.in + "\n");
    return 0;
  }
  const Keeper keeper(*cut.lease());
  standby.query("SET lock_timeout = " +
                std::to_string(static_cast<long>(settings.synchronization.sync_timeout * 1000)));
  standby.query("BEGIN");
  apply::pin_progress(standby, source, cut.standby_lsn());
  standby.query("LOCK TABLE " + name +
                (plan.drop.empty() ? " IN SHARE ROW EXCLUSIVE MODE" : " IN ACCESS EXCLUSIVE MODE"));
  const uint64_t since = standby.query("DELETE FROM " + name).affected();
  if (since > 0)
    base::log(base::Level::info, standby.node() + ": " + options.table.text() + ": " + std::to_string(since) +
                                     " rows that came meanwhile are in the copy, too");
  for (const std::string& drop : plan.drop) standby.query(drop);
  cut.primary().query("SET LOCAL statement_timeout = 0");  // rows come as fast as they can be written
  double told = begun;
  const pg::Copied copied = pg::copy_through(cut.primary(), plan.out, standby, plan.in, [&](const pg::Copied& so_far) {
    const double now = base::monotonic_seconds();
    if (now < told + tell_every) return;
    told = now;
    base::log(
        base::Level::info,
        standby.node() + ": copying " + options.table.text() + ": " + std::to_string(so_far.bytes >> 20) + " MiB, " +
            std::to_string(static_cast<long>(static_cast<double>(so_far.bytes >> 20) / (now - begun))) + " MiB/s");
  });
  if (!plan.create.empty())
    standby.query(std::string("SELECT pg_catalog.set_config(name, greatest(setting::integer, ") + sort_memory +
                  ")::text, true) FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'");
  for (const std::string& index : plan.create) standby.query(index);
  set_sequences(standby, name);
  if (standby.query("COMMIT").tag() != "COMMIT")
    throw Error(Exit::bug, standby.node() + ": the copy of " + options.table.text() + " was not committed");
  base::log(base::Level::info, standby.node() + ": copied " + options.table.text() + " at " + cut.lsn().text() + ": " +
                                   std::to_string(copied.rows) + " rows, " + std::to_string(copied.bytes >> 20) +
                                   " MiB" + (plan.binary ? "" : " as text") + ", " +
                                   std::to_string(plan.create.size()) + " indexes, in " +
                                   std::to_string(static_cast<long>(base::monotonic_seconds() - begun)) + " s");
  return copied.rows;
}

}  // namespace compare
