#include "capture/publication_sql.hpp"

#include <algorithm>

#include "pg/quote.hpp"

namespace capture {

using base::TableName;
using config::Settings;
using config::TableFilter;

std::string member_sql(const Settings& settings, const TableName& table) {
  std::string out = "ONLY " + pg::quote_table(table);
  const auto found = settings.filters.tables.find(table);
  if (found == settings.filters.tables.end()) return out;
  const TableFilter& filter = found->second;
  std::string columns;
  for (const std::string& column : filter.columns)
    columns += (columns.empty() ? "" : ", ") + pg::quote_identifier(column);
  if (!columns.empty()) out += " (" + columns + ")";
  if (!filter.where.empty()) out += " WHERE " + pg::quote_condition(filter.where);
  return out;
}

std::string member_list(const Settings& settings) {
  std::string list;
  for (const TableName& table : settings.synchronization.sync_tables)
    list += (list.empty() ? "" : ", ") + member_sql(settings, table);
  return list;
}

std::vector<std::string> publication_sql(const Settings& settings, const std::string& name, Publish what) {
  const std::string quoted = pg::quote_identifier(name);
  if (what == Publish::make)
    return {"CREATE PUBLICATION " + quoted + " FOR TABLE " + member_list(settings) + " WITH " + publish_all};
  // The options first: only by their root can partitions be filtered.
  std::vector<std::string> out;
  if (what == Publish::options_and_tables) out.push_back("ALTER PUBLICATION " + quoted + " SET " + publish_all);
  out.push_back("ALTER PUBLICATION " + quoted + " SET TABLE " + member_list(settings));
  return out;
}

std::vector<std::string> publication_script(const Settings& settings, const std::string& name, Publish what) {
  std::string note;
  for (const auto& [table, filter] : settings.filters.tables) {
    if (filter.where.empty()) continue;
    note += (note.empty() ? "" : " || " + pg::quote_literal(note_between) + " || ") +
            pg::quote_literal(asked_note(table, filter)) +
            " || (SELECT pg_catalog.pg_get_expr(r.prqual, r.prrelid) FROM pg_catalog.pg_publication_rel r JOIN "
            "pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE p.pubname = " +
            pg::quote_literal(name) + " AND r.prrelid = " + pg::quote_literal(pg::quote_table(table)) +
            "::pg_catalog.regclass)";
  }
  std::vector<std::string> out = publication_sql(settings, name, what);
  if (note.empty()) return out;
  // Under our search_path, on which the reading of a condition and its spelling depend.
  out.insert(out.begin(), {"BEGIN", "SET LOCAL search_path = ''"});
  out.push_back("DO " + pg::quote_literal("BEGIN EXECUTE pg_catalog.format('COMMENT ON PUBLICATION %I IS %L', " +
                                          pg::quote_literal(name) + ", " + pg::quote_literal(note_begin) + " || " +
                                          note + "); END"));
  out.emplace_back("COMMIT");
  return out;
}

std::string asked_note(const TableName& table, const TableFilter& filter) {
  return pg::quote_table(table) + " WHERE (" + filter.where + ") is ";
}

}  // namespace capture
