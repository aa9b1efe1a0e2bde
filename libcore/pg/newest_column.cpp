#include "pg/newest_column.hpp"

#include "base/error.hpp"
#include "pg/error.hpp"

namespace pg {
namespace {

// Asked as apply compares: which operators a type may borrow (a domain's, an enum's, an array's) only the parser knows.
bool has_order(Session& session, const std::string& type) {
  try {
    session.query("SELECT NULL::" + type + " > NULL::" + type);
    return true;
  } catch (const SqlError& refused) {
    if (refused.sqlstate() != "42883") throw;
    return false;
  }
}

}  // namespace

std::string lacks_newest_column(const config::Settings& settings, const std::string& table) {
  return "table " + table + " has no column " + settings.synchronization.newest_column +
         ", which newest_wins compares by; add it, correct newest_column, or choose another conflict_resolution";
}

void check_newest_column(Session& session, const config::Settings& settings) {
  const config::Synchronization& sync = settings.synchronization;
  if (sync.conflict_resolution != config::ConflictResolution::newest_wins) return;
  for (const base::TableName& table : sync.sync_tables) {
    const Result found = session.query(
        R"(SELECT pg_catalog.format_type(a.atttypid, NULL)
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             LEFT JOIN pg_catalog.pg_attribute a
               ON a.attrelid = c.oid AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
            WHERE n.nspname = $1 AND c.relname = $2)",
        {table.schema, table.name, sync.newest_column});
    if (found.rows() == 0) continue;
    if (found.is_null(0, 0))
      throw base::Error(base::Exit::config, session.node() + ": " + lacks_newest_column(settings, table.text()));
    const std::string type(found.get(0, 0));
    if (!has_order(session, type))
      throw base::Error(base::Exit::config,
                        session.node() + ": table " + table.text() + " has " + sync.newest_column + " as " + type +
                            ", of which none is later than another; let newest_column name one that can be compared " +
                            "(timestamptz, bigint), or choose another conflict_resolution");
  }
}

}  // namespace pg
