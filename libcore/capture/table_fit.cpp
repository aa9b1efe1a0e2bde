#include "capture/table_fit.hpp"

#include "base/error.hpp"
#include "pg/quote.hpp"

namespace capture {

const char* const does_not_exist = " of sync_tables does not exist; correct the name, or create the table";

std::string has_foreign_part(const base::TableName& table, std::string_view part) {
  return " has the foreign table " + std::string(part) +
         " as a partition: its rows are another server's, and in no stream; name the other partitions in sync_tables "
         "instead, or ALTER TABLE " +
         pg::quote_table(table) + " DETACH PARTITION " + std::string(part);
}

namespace {

using base::Error;
using base::Exit;
using base::TableName;

std::string alter_identity(const TableName& table) {
  const std::string alter = "ALTER TABLE " + pg::quote_table(table) + " REPLICA IDENTITY ";
  return "add a primary key, or " + alter + "FULL, or, if its rows are only ever inserted, " + alter + "NOTHING";
}

// As what the server itself takes for an identity (relcache.c): without one it refuses every UPDATE and DELETE of a
// published table, and that would be us keeping the primary from its work.
constexpr const char* describe_table =
    R"(SELECT c.relkind, c.relpersistence, c.relreplident, i.indexrelid IS NULL, NOT i.indimmediate,
              EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND a.attnum = ANY (i.indkey)),
              (SELECT l.oid::pg_catalog.regclass
                 FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class l ON l.oid = p.relid
                WHERE c.relkind = 'p' AND p.isleaf AND l.relreplident <> c.relreplident LIMIT 1),
              (SELECT l.oid::pg_catalog.regclass
                 FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class l ON l.oid = p.relid
                WHERE c.relkind = 'p' AND p.isleaf AND l.relpersistence <> 'p' LIMIT 1),
              (SELECT l.oid::pg_catalog.regclass
                 FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class l ON l.oid = p.relid
                WHERE c.relkind = 'p' AND l.relkind = 'f' LIMIT 1)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid
          AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
        WHERE n.nspname = $1 AND c.relname = $2)";

}  // namespace

void check_table(pg::Session& session, const TableName& table) {
  const pg::Result found = session.query(describe_table, {table.schema, table.name});
  const std::string named = session.node() + ": table " + table.text();
  if (found.rows() == 0) throw Error(Exit::config, named + does_not_exist);
  if (found.get(0, 0) != "r" && found.get(0, 0) != "p")
    throw Error(Exit::data, named + " is not a table; only tables can be synced, take it out of sync_tables");
  if (found.get(0, 1) != "p")
    throw Error(Exit::data, named + " is unlogged or temporary: its changes are not in the WAL; ALTER TABLE " +
                                pg::quote_table(table) + " SET LOGGED, or take it out of sync_tables");
  if (!found.is_null(0, 7))
    throw Error(Exit::data, named + " has the partition " + std::string(found.get(0, 7)) +
                                ", which is unlogged: its changes are not in the WAL; ALTER TABLE " +
                                std::string(found.get(0, 7)) + " SET LOGGED, or detach it");
  if (!found.is_null(0, 8)) throw Error(Exit::data, named + has_foreign_part(table, found.get(0, 8)));
  if (const auto identity = found.get(0, 2); identity == "d" || identity == "i") {
    if (found.get(0, 3) == "t")
      throw Error(Exit::data,
                  named +
                      " has no primary key and no other identity, without which PostgreSQL refuses updates and deletes "
                      "of a published table; " +
                      alter_identity(table));
    if (found.get(0, 4) == "t")
      throw Error(Exit::data, named +
                                  " has a deferrable primary key, which is no identity; make it NOT DEFERRABLE, or " +
                                  alter_identity(table));
    if (found.get(0, 5) == "t")
      throw Error(Exit::data,
                  named + " has a generated column in its key, which is not sent; " + alter_identity(table));
  }
  if (!found.is_null(0, 6)) {
    const std::string partition(found.get(0, 6));
    const std::string_view own = found.get(0, 2);
    throw Error(Exit::data, named + " has the partition " + partition +
                                " with another REPLICA IDENTITY than its own; ALTER TABLE " + partition +
                                " REPLICA IDENTITY " +
                                (own == "d"   ? "DEFAULT"
                                 : own == "f" ? "FULL"
                                 : own == "n" ? "NOTHING"
                                              : "USING INDEX as the table's"));
  }
}

}  // namespace capture
