#include "capture/rights.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "capture/publication.hpp"
#include "pg/quote.hpp"
#include "pg/rights.hpp"
#include "pg/slot.hpp"

namespace capture {
namespace {

using base::TableName;

// On a managed server no customer can grant the attribute; Amazon RDS has a role that stands for it.
constexpr const char* describe_role =
    R"(SELECT r.rolsuper OR r.rolreplication,
              (SELECT pg_catalog.pg_has_role(m.oid, 'MEMBER') FROM pg_catalog.pg_roles m
                WHERE m.rolname = 'rds_replication')
         FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)";

constexpr const char* describe_table =
    R"(SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.has_table_privilege(c.oid, 'SELECT'),
              pg_catalog.row_security_active(c.oid)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2)";

std::string bypass(const pg::Rights& rights) { return "ALTER ROLE " + rights.role() + " BYPASSRLS"; }

// Of a filter's columns those are enough.
bool may_select_columns(pg::Session& session, const config::Settings& settings, const TableName& table) {
  const auto filter = settings.filters.tables.find(table);
  if (filter == settings.filters.tables.end() || filter->second.columns.empty()) return false;
  return std::all_of(filter->second.columns.begin(), filter->second.columns.end(), [&](const std::string& column) {
    return session
               .query(R"(SELECT FROM pg_catalog.pg_attribute a
                           JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                          WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3
                            AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))",
                      {table.schema, table.name, column})
               .rows() > 0;
  });
}

}  // namespace

void check_rights(pg::Session& session, const config::Settings& settings, const std::string& publication, bool warn) {
  pg::Rights rights(session);
  const pg::Result role = session.query(describe_role);
  if (role.get(0, 0) != "t" && role.get(0, 1) != "t") {
    if (role.is_null(0, 1))
      rights.lack("ALTER ROLE " + rights.role() + " REPLICATION");
    else
      rights.lack_grant(true, "rds_replication");
  }
  bool can_see = true;
  for (const TableName& table : settings.synchronization.sync_tables) {
    const pg::Result may = session.query(describe_table, {table.schema, table.name});
    can_see = can_see && may.get(0, 0) == "t";
    rights.lack_grant(may.get(0, 0) != "t", "USAGE ON SCHEMA " + pg::quote_identifier(table.schema));
    rights.lack_grant(may.get(0, 1) != "t" && !may_select_columns(session, settings, table),
                      "SELECT ON TABLE " + pg::quote_table(table));
    rights.lack(may.get(0, 2) == "t", bypass(rights));
  }
  // Nobody is told to make what is gone while its slot is there: that would be no way out, see link.cpp.
  const bool gone = !publication_exists(session, publication) && pg::read_slot(session, publication).exists;
  // A filter has to be tried before it is put before others, and that needs the schema.
  if (!gone && (can_see || settings.filters.tables.empty()))
    for (const std::string& statement : publication_by_others(session, settings, publication, warn))
      rights.lack(statement);
  rights.refuse("capture init");
}

void check_row_security(pg::Session& session, const config::Settings& settings) {
  for (const TableName& table : settings.synchronization.sync_tables)
    if (session.query(describe_table, {table.schema, table.name}).get(0, 2) == "t")
      throw base::Error(base::Exit::no_right, session.node() + ": table " + table.text() +
                                                  " has row-level security that the role is subject to; " +
                                                  bypass(pg::Rights(session)));
}

}  // namespace capture
