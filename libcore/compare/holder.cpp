#include "compare/holder.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

std::string lock_list(pg::Session& session, const std::vector<base::TableName>& tables) {
  std::string list;
  for (const base::TableName& table : tables) {
    const std::string name = pg::quote_table(table);
    const pg::Result found = session.query(
        "SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND relkind IN ('r', 'p') AND "
        "pg_catalog.has_table_privilege(oid, 'SELECT')",  // who may not read it may not lock it, and is told so later
        {name});
    if (found.rows() > 0) list += (list.empty() ? "" : ", ") + name;
  }
  return list;
}

}  // namespace

std::unique_ptr<pg::Session> open_holder(const config::Settings& settings, const config::Node& node,
                                         const std::vector<base::TableName>& tables, double deadline) {
  for (;;) {
    auto session = std::make_unique<pg::Session>(
        node, pg::SessionOptions{.purpose = "pgtandem cut", .answer_timeout = settings.synchronization.sync_timeout});
    session->lift_transaction_timeout();
    const std::string list = lock_list(*session, tables);
    session->query("SET lock_timeout = '1s'");
    session->query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (list.empty()) return session;
    try {
      session->query("LOCK TABLE " + list + " IN ACCESS SHARE MODE");
      return session;
    } catch (const base::Transient& busy) {
      if (base::monotonic_seconds() >= deadline || base::stop_requested())
        throw base::Transient(base::Exit::try_later,
                              std::string(busy.what()) + "; somebody rewrites or truncates a table that is to be read");
      base::log(base::Level::debug, busy.what());
    }
  }
}

std::string export_snapshot(pg::Session& holder) {
  return std::string(holder.query("SELECT pg_catalog.pg_export_snapshot()").get(0, 0));
}

std::string waiting_for(pg::Session& session, const std::string& pid) {
  const pg::Result row = session.query(
      R"(SELECT pg_catalog.string_agg('pid ' || a.pid || coalesce(' (' || nullif(a.application_name, '') || ')', ''), ', ')
           FROM (SELECT DISTINCT pid FROM pg_catalog.pg_locks WHERE NOT granted AND locktype = 'relation') w
           JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
          WHERE $1::integer = ANY (pg_catalog.pg_blocking_pids(w.pid)))",
      {pid});
  return row.is_null(0, 0) ? "" : std::string(row.get(0, 0));
}

}  // namespace compare
