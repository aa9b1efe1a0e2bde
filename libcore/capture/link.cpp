#include "capture/link.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "capture/made_again.hpp"
#include "capture/publication.hpp"
#include "capture/rights.hpp"
#include "capture/table_fit.hpp"
#include "pg/error.hpp"
#include "pg/newest_column.hpp"
#include "pg/quote.hpp"
#include "pg/replication.hpp"
#include "spool/recover.hpp"

namespace capture {

const std::string begin_again = std::string("use up the spool with `pgtandem apply`, then ") + spool::link_anew;

namespace {

using base::Error;
using base::Exit;

pg::SessionOptions options_for(const config::Settings& settings, bool replication) {
  return {.purpose = "pgtandem capture",
          .replication = replication,
          .answer_timeout = settings.synchronization.sync_timeout};
}

struct Slot {
  bool exists = false;
  std::string plugin;
  std::string database;
  std::string wal_status;
  change::Lsn confirmed;
};

Slot find_slot(pg::Session& session, const std::string& name) {
  const pg::Result row = session.query(
      R"(SELECT plugin, database, coalesce(wal_status, ''), confirmed_flush_lsn, database = current_database()
           FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)",
      {name});
  Slot slot;
  if (row.rows() == 0) return slot;
  slot.exists = true;
  slot.plugin = row.get(0, 0);
  slot.database = row.get(0, 1);
  slot.wal_status = row.get(0, 2);
  change::Lsn::parse(row.get(0, 3), slot.confirmed);
  if (slot.plugin != "pgoutput" || row.get(0, 4) != "t")
    throw Error(Exit::data, session.node() + ": slot " + name + " is not ours (plugin " + slot.plugin + ", database " +
                                slot.database + "); rename local_node, or drop that slot");
  return slot;
}

void check_wal_level(pg::Session& session) {
  const std::string level(session.query("SHOW wal_level").get(0, 0));
  if (level != "logical")
    throw Error(Exit::config,
                session.node() + ": wal_level is " + level + "; set wal_level = logical on that server and restart it");
}

void warn_of_encoding(pg::Session& session) {
  if (!takes_any_bytes(session)) return;
  base::log(base::Level::warn,
            session.node() +
                ": the database's encoding is SQL_ASCII, which takes any bytes: at the first text that is no "
                "UTF-8 capture stops, and that server keeps its WAL until the link is made anew; move the "
                "tables to a database made with ENCODING 'UTF8' TEMPLATE template0");
}

// One that is made now is none of the time in which it was not there: what was committed then is refused by the server
// when it is decoded, or, from PostgreSQL 18 on, passed over in silence.
void refuse_gap(pg::Session& session, const std::string& publication) {
  if (!publication_exists(session, publication))
    throw Error(Exit::data, session.node() + ": publication " + publication +
                                " is gone; the slot cannot go on over the time without it; " + begin_again);
}

// Half a link holds the primary's WAL for nobody: what was made goes again when the rest fails.
void take_back(pg::Session& session, const std::string& sql) {
  try {
    session.query(sql);
  } catch (const Error& failure) {
    base::log(base::Level::warn, std::string(failure.what()) + "; run `capture drop`");
  }
}

void make_slot(pg::Session& session, const config::Settings& settings, change::Source source) {
  base::log(base::Level::info, "creating slot " + source.slot + "; it waits for transactions that are running now");
  const pg::Result made = session.query_until_stopped(
      "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')", {source.slot});
  if (!made) throw Error(Exit::try_later, "stopped before the slot was made; run `capture init` again");
  change::Lsn::parse(made.get(0, 0), source.created);
  try {
    spool::found(settings.spool.directory, source);
  } catch (const Error&) {
    take_back(session, "SELECT pg_catalog.pg_drop_replication_slot(" + pg::quote_literal(source.slot) + ")");
    throw;
  }
  base::log(base::Level::info, "slot " + source.slot + " created at " + source.created.text());
}

}  // namespace

bool takes_any_bytes(pg::Session& session) { return session.query("SHOW server_encoding").get(0, 0) == "SQL_ASCII"; }

std::string link_name(const config::Settings& settings) {
  std::string name = "pgtandem_";
  for (const char c : settings.local_node) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    name += (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') ? low : '_';
  }
  return name.substr(0, 63);
}

void init(const config::Settings& settings, const std::string& node) {
  const config::Node& primary = settings.primary(node);
  pg::Session session(primary, options_for(settings, false));
  check_wal_level(session);
  warn_of_encoding(session);
  for (const base::TableName& table : settings.synchronization.sync_tables) check_table(session, table);
  pg::check_newest_column(session, settings);
  const std::string name = link_name(settings);
  check_rights(session, settings, name, true);
  const std::unique_ptr<pg::Session> walsender = open_walsender(settings, primary);
  const pg::System system = pg::identify_system(*walsender);
  const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory);
  const Slot slot = find_slot(session, name);
  if (slot.exists && mark) {
    refuse_gap(session, name);
    make_publication(session, settings, name);
    check(settings, session, *walsender);
    base::log(base::Level::info, "slot and publication " + name + " are there already");
    return;
  }
  if (slot.exists)
    throw Error(Exit::data, primary.name + ": slot " + name + " exists, but the spool " +
                                settings.spool.directory.string() + " knows nothing of it: changes may be lost in " +
                                "between; `capture drop`, then `sync-full --init`, which makes the tables equal");
  if (mark)
    throw Error(Exit::data, primary.name + ": slot " + name + " is gone, but the spool " +
                                settings.spool.directory.string() + " belongs to it; " + begin_again);
  // The publication before the slot: a slot cannot see one made after it.
  const bool new_publication = make_publication(session, settings, name);
  try {
    check_publication(session, settings, name);
    make_slot(session, settings, {.system_id = system.id, .timeline = system.timeline, .slot = name, .created = {}});
  } catch (const Error&) {
    if (new_publication) take_back(session, "DROP PUBLICATION IF EXISTS " + pg::quote_identifier(name));
    throw;
  }
}

void drop(const config::Settings& settings, const std::string& node) {
  pg::Session session(settings.primary(node), options_for(settings, false));
  const std::string& primary = session.node();
  const std::string name = link_name(settings);
  if (find_slot(session, name).exists) {
    session.query("SELECT pg_catalog.pg_drop_replication_slot($1)", {name});
    base::log(base::Level::info, "slot " + name + " dropped");
  }
  forget_oids(settings, name);
  const pg::Result publication = session.query(
      "SELECT pg_catalog.pg_has_role(pubowner, 'USAGE') FROM pg_catalog.pg_publication WHERE pubname = $1", {name});
  if (publication.rows() == 0) return;
  const std::string sql = "DROP PUBLICATION " + pg::quote_identifier(name);
  if (publication.get(0, 0) != "t")
    throw base::MissingRights(primary + ": publication " + name +
                                  " stays, for it is another role's; let that one, or " +
                                  "a superuser, run what stands on standard output",
                              {sql + ";"});
  session.query(sql);
}

change::Lsn position(const config::Settings& settings, const std::string& node) {
  pg::Session session(settings.primary(node), options_for(settings, false));
  change::Lsn lsn;
  change::Lsn::parse(session.query("SELECT pg_catalog.pg_current_wal_flush_lsn()").get(0, 0), lsn);
  return lsn;
}

std::unique_ptr<pg::Session> open_walsender(const config::Settings& settings, const config::Node& primary) {
  auto walsender = std::make_unique<pg::Session>(primary, options_for(settings, true));
  walsender->lift_transaction_timeout();  // it decodes a transaction within one of its own, however long that takes
  return walsender;
}

spool::Mark check(const config::Settings& settings, pg::Session& session, pg::Session& walsender) {
  const std::string name = link_name(settings);
  const std::string& node = session.node();
  std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory);
  if (!mark)
    throw Error(Exit::data, "the spool " + settings.spool.directory.string() + " is not founded; run `capture init`");
  const pg::System system = pg::identify_system(walsender);
  if (system.id != mark->source.system_id)
    throw Error(Exit::data, node + ": this is another server (system " + system.id + ") than the spool's (" +
                                mark->source.system_id + "); correct database_url, or " + begin_again);
  if (system.timeline != mark->source.timeline)
    throw Error(Exit::data, node + ": the server is on timeline " + std::to_string(system.timeline) +
                                ", the spool on " + std::to_string(mark->source.timeline) +
                                ": it was promoted or restored, and its history may be another; " + begin_again);
  check_wal_level(session);
  const Slot slot = find_slot(session, name);
  if (!slot.exists)
    throw Error(Exit::data, node + ": slot " + name + " is gone: what was committed after " + mark->lsn.text() +
                                " cannot be read again; " + begin_again);
  if (slot.wal_status == "lost")
    throw Error(Exit::data, node + ": slot " + name + " was invalidated (max_slot_wal_keep_size): what was committed " +
                                "after " + mark->lsn.text() + " cannot be read again; " + begin_again);
  // After a power cut the mark on disk may say less than it did; the segments still tell, and the next put mends it.
  if (slot.confirmed > mark->lsn) mark = spool::scan_end(settings.spool.directory).mark;
  if (slot.confirmed > mark->lsn)
    throw Error(Exit::data, node + ": slot " + name + " is at " + slot.confirmed.text() + ", ahead of the spool at " +
                                mark->lsn.text() + ": what lies between cannot be read again; " + begin_again);
  if (system.flushed < mark->lsn)
    throw Error(Exit::data, node + ": the server's WAL ends at " + system.flushed.text() + ", before the spool's " +
                                mark->lsn.text() + ": it was restored from a backup; " + begin_again);
  check_published(settings, session);
  return *mark;
}

void check_published(const config::Settings& settings, pg::Session& session) {
  const std::string name = link_name(settings);
  for (const base::TableName& table : settings.synchronization.sync_tables) check_table(session, table);
  check_row_security(session, settings);
  refuse_gap(session, name);
  check_publication(session, settings, name);
}

}  // namespace capture
