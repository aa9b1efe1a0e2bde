#include "apply/truncate.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "apply/awake.hpp"
#include "apply/sequences.hpp"
#include "base/log.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

constexpr const char* referenced = "0A000";      // a table that is not emptied with it has a foreign key to it
constexpr const char* has_references = "23503";  // rows of that table, where foreign keys are awake

// Pages whose rows one DELETE takes, so that it ends well before sync_timeout: 128 MiB, one or two million narrow rows.
constexpr int64_t pages_at_once = 16384;

struct Emptied {
  std::string rows;                     // the table, where its rows are read
  const TargetTable* target = nullptr;  // none where the stream has told no shape
  std::string name() const { return rows.starts_with("ONLY ") ? rows.substr(5) : rows; }
  int depth() const { return target == nullptr ? 0 : target->depth; }
};

std::optional<pg::SqlError> refusal_of(pg::Session& session, const std::string& sql) {
  session.query("SAVEPOINT pgtandem_truncate");
  try {
    session.query(sql);
  } catch (const pg::SqlError& refused) {
    if (!pg::is_refusal_of_rows(refused)) throw;
    session.query("ROLLBACK TO SAVEPOINT pgtandem_truncate; RELEASE SAVEPOINT pgtandem_truncate");
    return refused;
  }
  session.query("RELEASE SAVEPOINT pgtandem_truncate");
  return {};
}

// Page by page: as one statement it would take as long as the table is large, where TRUNCATE takes none.
std::optional<pg::SqlError> delete_all(pg::Session& session, const Emptied& table) {
  const pg::Result pages = session.query(
      R"(SELECT coalesce(max(pg_catalog.pg_relation_size(c.oid)), 0)
                / pg_catalog.current_setting('block_size')::bigint
           FROM pg_catalog.pg_class c
          WHERE c.oid = $1::pg_catalog.regclass
             OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.regclass)))",
      {table.name()});
  const int64_t end = std::stoll(std::string(pages.get(0, 0)));
  for (int64_t page = 0; page == 0 || page < end; page += pages_at_once) {
    std::string where = " WHERE ctid >= '(" + std::to_string(page) + ",0)'";
    if (page + pages_at_once < end) where += " AND ctid < '(" + std::to_string(page + pages_at_once) + ",0)'";
    if (std::optional<pg::SqlError> refused = refusal_of(session, "DELETE FROM " + table.rows + where)) return refused;
  }
  return {};
}

// The table alone has to wait. Its shape is fine, so nothing but the change itself tells when it goes on.
[[noreturn]] void refuse(const pg::Session& session, const Truncate& what, const Emptied& table,
                         const pg::SqlError& refused, const std::string& way_out) {
  const std::string operation = "operation " + id_of(what);
  if (table.target == nullptr) throw refused.saying(operation + ": " + refused.what());
  throw Misfit(session.node() + ": table " + table.target->shape.text + " cannot be emptied by TRUNCATE, " + operation +
                   ": " + refused.reason() + " (" + refused.sqlstate() + "); " + way_out,
               table.target->shape, {})
      .by_a_change();
}

// Its trigger that TRUNCATE fires here, and DELETE does not; empty where it has none.
std::string truncate_trigger(pg::Session& session, const Emptied& table) {
  const pg::Result found = session.query(
      R"(SELECT pg_catalog.quote_ident(tgname) FROM pg_catalog.pg_trigger
          WHERE tgrelid = $1::pg_catalog.regclass AND NOT tgisinternal AND tgtype & 32 <> 0 AND tgenabled IN ('A', $2)
          LIMIT 1)",
      {table.name(), session.replica_role() ? "R" : "O"});
  return found.rows() == 0 ? std::string() : std::string(found.get(0, 0));
}

// By itself. A foreign key of a table that stays keeps TRUNCATE out, whatever is in that table, and whoever is asking;
// rows are deleted as those that the primary deletes are: no constraint of a table that is not in the stream is asked.
// `together`: what refused all at once.
void empty(pg::Session& session, const Truncate& what, const Emptied& table, const pg::SqlError& together) {
  std::optional<pg::SqlError> refused = refusal_of(session, "TRUNCATE " + table.rows);
  if (refused && refused->sqlstate() == referenced) {
    const pg::SqlError& cause = together.sqlstate() == referenced ? together : *refused;
    if (const std::string trigger = truncate_trigger(session, table); !trigger.empty())
      refuse(session, what, table, together,
             "remove what refuses it, or the trigger " + trigger + ", past which its rows are not deleted");
    base::log(base::Level::info, session.node() + ": TRUNCATE of " + table.rows +
                                     " is refused, so its rows are deleted: " + cause.reason());
    refused = delete_all(session, table);
  }
  if (!refused) return;
  std::string grant;
  if (refused->sqlstate() == has_references && !session.replica_role()) grant = replica_grant(session);
  refuse(session, what, table, *refused,
         grant.empty() ? "remove what refuses it" : grant + ", or drop that foreign key");
}

}  // namespace

// In one statement, so that foreign keys among the tables hold; never further by CASCADE or to tables that inherit:
// what else the primary emptied is named in the stream itself.
void truncate(pg::Session& session, Targets& targets, Incidents& incidents, const Truncate& what) {
  std::vector<Emptied> tables;
  std::string all;
  for (size_t i = 0; i < what.tables.size(); ++i) {
    const TargetTable* const target = what.shapes[i] == nullptr ? nullptr : &targets.of(*what.shapes[i]);
    tables.push_back({target == nullptr ? targets.alone(what.tables[i]) : target->rows, target});
    all += (i == 0 ? "" : ", ") + tables.back().rows;
  }
  bool restarted = what.restart_identity && may_restart(session, what.tables);
  if (const auto refused = refusal_of(session, "TRUNCATE " + all + (restarted ? " RESTART IDENTITY" : ""))) {
    restarted = false;
    // From the children up, for where foreign keys are awake.
    std::stable_sort(tables.begin(), tables.end(),
                     [](const Emptied& a, const Emptied& b) { return a.depth() > b.depth(); });
    for (const Emptied& table : tables) empty(session, what, table, *refused);
  }
  if (what.restart_identity && !restarted) restart(session, what.tables);
  for (const base::TableName& table : what.tables) incidents.quarantine.supersede(table, what.lsn);
}

}  // namespace apply
