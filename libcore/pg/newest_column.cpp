#include "pg/newest_column.hpp"

#include "base/error.hpp"

namespace pg {

std::string lacks_newest_column(const config::Settings& settings, const std::string& table) {
  return "table " + table + " has no column " + settings.synchronization.newest_column +
         ", which newest_wins compares by; add it, correct newest_column, or choose another conflict_resolution";
}

void check_newest_column(Session& session, const config::Settings& settings) {
  const config::Synchronization& sync = settings.synchronization;
  if (sync.conflict_resolution != config::ConflictResolution::newest_wins) return;
  for (const base::TableName& table : sync.sync_tables) {
    const Result found = session.query(
        R"(SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                           WHERE a.attrelid = c.oid AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped)
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2)",
        {table.schema, table.name, sync.newest_column});
    if (found.rows() > 0 && found.get(0, 0) != "t")
      throw base::Error(base::Exit::config, session.node() + ": " + lacks_newest_column(settings, table.text()));
  }
}

}  // namespace pg
