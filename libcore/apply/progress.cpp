#include "apply/progress.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "pg/error.hpp"

namespace apply {
namespace {

using base::Error;
using base::Exit;

// "source" tells the slot's generation apart: a slot made anew under the old name has another consistent point.
constexpr const char* make_progress = R"(
CREATE TABLE pgtandem.progress (
  slot        text PRIMARY KEY,
  source      text NOT NULL,
  lsn         pg_catalog.pg_lsn NOT NULL,
  end_lsn     pg_catalog.pg_lsn NOT NULL,
  operations  bigint NOT NULL,
  committed   timestamptz,
  applied     timestamptz NOT NULL DEFAULT pg_catalog.now()))";
constexpr const char* make_retried = R"(
CREATE TABLE pgtandem.retried (
  slot          text NOT NULL,
  operation_id  text NOT NULL,
  PRIMARY KEY (slot, operation_id)))";
constexpr const char* make_table_states = R"(
CREATE TABLE pgtandem.tables (
  slot           text NOT NULL,
  name           text NOT NULL,
  shape          text,
  waiting_shape  text,
  lsn            pg_catalog.pg_lsn,
  end_lsn        pg_catalog.pg_lsn,
  reason         text,
  since          timestamptz,
  PRIMARY KEY (slot, name)))";

bool has_table(pg::Session& session, const char* name = "pgtandem.progress") {
  return session.query("SELECT pg_catalog.to_regclass($1) IS NOT NULL", {name}).get(0, 0) == "t";
}

// Each only if it is not there: IF NOT EXISTS asks for the right to make it all the same.
void make_tables(pg::Session& session) {
  if (session.query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'pgtandem'").rows() == 0)
    session.query("CREATE SCHEMA pgtandem");
  if (!has_table(session)) session.query(make_progress);
  if (!has_table(session, "pgtandem.retried")) session.query(make_retried);
  if (!has_table(session, "pgtandem.tables")) session.query(make_table_states);
}

}  // namespace

void refuse_primary(pg::Session& session, const change::Source& source) {
  if (session
          .query("SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1 AND database = current_database()",
                 {source.slot})
          .rows() > 0)
    throw Error(Exit::config, session.node() + ": has the slot " + source.slot +
                                  " itself, so it is the primary and no " + "standby; correct database_url");
}

void init_progress(pg::Session& session, const change::Source& source) {
  make_tables(session);
  const pg::Result made = session.query(
      R"(INSERT INTO pgtandem.progress (slot, source, lsn, end_lsn, operations)
         VALUES ($1, $2, '0/0', $3::pg_catalog.pg_lsn, 0) ON CONFLICT (slot) DO NOTHING)",
      {source.slot, source.id(), source.created.text()});
  if (made.affected() == 0) read_progress(session, source);
  base::log(base::Level::info, session.node() + ": follows slot " + source.slot + " from " + source.created.text() +
                                   (made.affected() == 0 ? " already" : ""));
}

bool note_retried(pg::Session& session, const change::Source& source, const std::string& operation_id) {
  return session
             .query("INSERT INTO pgtandem.retried (slot, operation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    {source.slot, operation_id})
             .affected() == 1;
}

void drop_progress(pg::Session& session, const std::string& slot) {
  if (!has_table(session)) return;
  session.query("DELETE FROM pgtandem.progress WHERE slot = $1", {slot});
  session.query("DELETE FROM pgtandem.retried WHERE slot = $1", {slot});
  session.query("DELETE FROM pgtandem.tables WHERE slot = $1", {slot});
  if (session.query("SELECT FROM pgtandem.progress").rows() > 0) return;
  const char* const not_ours = "others made it; they, or a superuser, may drop it";
  if (session
          .query("SELECT FROM pg_catalog.pg_class WHERE relnamespace = 'pgtandem'::pg_catalog.regnamespace AND "
                 "relkind = 'r' AND NOT pg_catalog.pg_has_role(relowner, 'USAGE')")
          .rows() > 0)
    return base::log(base::Level::info, session.node() + ": the schema pgtandem stays: " + not_ours);
  session.query("DROP TABLE pgtandem.progress, pgtandem.retried, pgtandem.tables");
  if (session.query("SELECT FROM pg_catalog.pg_class WHERE relnamespace = 'pgtandem'::pg_catalog.regnamespace").rows() >
      0)
    return;
  if (session
          .query("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'pgtandem' AND pg_catalog.pg_has_role(nspowner, "
                 "'USAGE')")
          .rows() > 0)
    session.query("DROP SCHEMA pgtandem");
  else
    base::log(base::Level::info, session.node() + ": the empty schema pgtandem stays: " + not_ours);
}

Position read_progress(pg::Session& session, const change::Source& source, Reading reading) {
  if (!has_table(session))
    throw Error(Exit::data,
                session.node() +
                    ": follows nothing yet; run `sync-full --init`, which copies the tables, or, where they "
                    "are as they were when the slot was made, `apply init`");
  const pg::Result row = session.query(
      std::string(R"(SELECT source, lsn, end_lsn, operations, (extract(epoch FROM committed) * 1000000)::bigint
           FROM pgtandem.progress WHERE slot = $1)") +
          (reading == Reading::to_go_on ? " FOR UPDATE" : ""),
      {source.slot});
  if (row.rows() == 0)
    throw Error(Exit::data, session.node() + ": does not follow slot " + source.slot + "; run `apply init`");
  if (row.get(0, 0) != source.id())
    throw Error(Exit::data,
                session.node() + ": follows " + std::string(row.get(0, 0)) + ", but the stream is of " + source.id() +
                    ": the slot was made anew; `apply drop`, then `sync-full --init`, which makes the tables equal");
  Position at;
  change::Lsn::parse(row.get(0, 1), at.lsn);
  change::Lsn::parse(row.get(0, 2), at.end_lsn);
  at.operations = std::stoull(std::string(row.get(0, 3)));
  if (!row.is_null(0, 4)) at.time = std::stoll(std::string(row.get(0, 4)));
  return at;
}

void pin_progress(pg::Session& session, const change::Source& source, change::Lsn at) {
  const pg::Result pinned = session.query(
      "SELECT FROM pgtandem.progress WHERE slot = $1 AND source = $2 AND lsn = $3::pg_catalog.pg_lsn FOR UPDATE",
      {source.slot, source.id(), at.text()});
  if (pinned.rows() != 1)
    throw Error(Exit::try_later, session.node() + ": apply went on from " + at.text() +
                                     " before what was found there could be mended; run it again");
}

void advance_progress(pg::Session& session, const change::Source& source, const Position& from, const Position& to) {
  const pg::Result moved = session.query(
      R"(UPDATE pgtandem.progress
            SET lsn = $3::pg_catalog.pg_lsn, end_lsn = $4::pg_catalog.pg_lsn, operations = $5::bigint,
                committed = $6::timestamptz, applied = pg_catalog.clock_timestamp()
          WHERE slot = $1 AND source = $2 AND lsn = $7::pg_catalog.pg_lsn)",
      {source.slot, source.id(), to.lsn.text(), to.end_lsn.text(), std::to_string(to.operations),
       base::iso_time(to.time), from.lsn.text()});
  if (moved.affected() != 1)
    throw Error(Exit::try_later, session.node() + ": the progress of slot " + source.slot + " is no longer at " +
                                     from.lsn.text() + ": another apply is at work there; stop one of the two");
}

// There is no SQL that flushes the WAL, but a synchronous commit of anything flushes all before it.
void flush_progress(pg::Session& session, const change::Source& source) {
  if (session.query("SELECT pg_catalog.pg_current_wal_insert_lsn() <= pg_catalog.pg_current_wal_flush_lsn()")
          .get(0, 0) == "t")
    return;
  if (session.query("UPDATE pgtandem.progress SET applied = applied WHERE slot = $1", {source.slot}).affected() != 1)
    throw Error(Exit::data, session.node() + ": does not follow slot " + source.slot + " any more; run `apply init`");
}

}  // namespace apply
