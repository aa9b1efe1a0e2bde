#include "compare/slot_snapshot.hpp"

#include <unistd.h>

#include <random>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "pg/quote.hpp"

namespace compare {

// Every transaction with an xid holds a lock on it to its end, a prepared one too, and everybody may see locks;
// pg_stat_activity hides the rest from roles without pg_read_all_stats. By the age of its xid, and not by xact_start:
// that is read later than the lock, and null for whoever has ended in between.
Writer oldest_writer(pg::Session& session) {
  const pg::Result row = session.query(
      R"(SELECT l.transactionid,
                CASE WHEN l.pid IS NULL THEN 'a prepared transaction (see pg_prepared_xacts)' ELSE
                  'pid ' || l.pid ||
                  coalesce(', open for ' || extract(epoch FROM clock_timestamp() - a.xact_start)::bigint || ' s', '') ||
                  coalesce(', ' || a.state, '') || coalesce(' (' || nullif(a.application_name, '') || ')', '') END
           FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
          WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
            AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
          ORDER BY pg_catalog.age(l.transactionid) DESC LIMIT 1)");
  if (row.rows() == 0) return {};
  return {std::string(row.get(0, 0)), std::string(row.get(0, 1))};
}

bool still_writes(pg::Session& session, const Writer& writer) {
  return session
             .query(
                 "SELECT FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND "
                 "granted AND transactionid = $1::pg_catalog.xid",
                 {writer.xid})
             .rows() > 0;
}

change::Lsn import_slot_snapshot(const config::Settings& settings, const config::Node& primary, pg::Session& holder,
                                 double seconds) {
  pg::Session walsender(
      primary,
      {.purpose = "pgtandem cut", .replication = true, .answer_timeout = settings.synchronization.sync_timeout});
  std::random_device random;
  const std::string name = "pgtandem_cut_" + std::to_string(::getpid()) + "_" + base::hex16(random()).substr(8);
  // As it was spelt before 15, which every version since 10 takes. Temporary: gone with the session at the latest.
  const pg::Result made = walsender.query_within(
      "CREATE_REPLICATION_SLOT " + name + " TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT", seconds);
  if (!made) return {};
  change::Lsn lsn;
  change::Lsn::parse(made.get(0, 1), lsn);
  holder.query("SET TRANSACTION SNAPSHOT " + pg::quote_literal(made.get(0, 2)));
  walsender.query("DROP_REPLICATION_SLOT " + name);
  return lsn;
}

}  // namespace compare
