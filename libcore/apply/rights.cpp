#include "apply/rights.hpp"

#include <string>

#include "apply/awake.hpp"
#include "base/log.hpp"
#include "pg/quote.hpp"
#include "pg/rights.hpp"

namespace apply {
namespace {

using base::TableName;

constexpr const char* describe_database =
    R"(SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'),
              (SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                 FROM pg_catalog.pg_namespace n WHERE n.nspname = 'pgtandem'),
              (SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE')
                 FROM pg_catalog.pg_namespace n WHERE n.nspname = 'pgtandem'),
              pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))";

// Of our own tables those that are there.
constexpr const char* describe_own =
    R"(SELECT c.relname,
              pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT') AND
              pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'pgtandem' AND c.relname IN ('progress', 'retried', 'tables') ORDER BY 1)";

constexpr const char* describe_table =
    R"(SELECT c.oid, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
              pg_catalog.concat_ws(', ',
                CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'SELECT' END,
                CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'INSERT') THEN 'INSERT' END,
                CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END,
                CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END,
                CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') THEN 'TRUNCATE' END),
              pg_catalog.row_security_active(c.oid)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p'))";

// Values are cast to the columns' types by name, keys compared by their operators, and staging tables have those types.
constexpr const char* describe_types =
    R"(SELECT n.nspname, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
              CASE WHEN NOT pg_catalog.has_type_privilege(t.oid, 'USAGE') THEN t.typname END
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped
       UNION
       SELECT n.nspname, pg_catalog.has_schema_privilege(n.oid, 'USAGE'), NULL
         FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indclass) AS k(class)
         JOIN pg_catalog.pg_opclass c ON c.oid = k.class JOIN pg_catalog.pg_amop s ON s.amopfamily = c.opcfamily
         JOIN pg_catalog.pg_operator o ON o.oid = s.amopopr
         JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
        WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique ORDER BY 1, 3)";

// The sequences that Sequences moves. Reading where one is needs SELECT or USAGE, setval() UPDATE.
constexpr const char* describe_sequences =
    R"(SELECT n.nspname, c.relname, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
              pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AND
              pg_catalog.has_sequence_privilege(c.oid, 'UPDATE')
         FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE d.refobjid = $1::pg_catalog.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
          AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass ORDER BY 1)";

void check_own_tables(pg::Session& session, pg::Rights& rights, const pg::Result& database) {
  if (database.is_null(0, 1)) {  // it would then belong to us, so that we may drop it, too
    rights.lack(database.get(0, 3) != "t", "CREATE SCHEMA pgtandem AUTHORIZATION " + rights.role());
    return;
  }
  const pg::Result own = session.query(describe_own);
  rights.lack_grant(database.get(0, 1) != "t", "USAGE ON SCHEMA pgtandem");
  rights.lack_grant(database.get(0, 2) != "t" && own.rows() < 3, "CREATE ON SCHEMA pgtandem");
  for (int i = 0; i < own.rows(); ++i)
    rights.lack_grant(own.get(i, 1) != "t",
                      "SELECT, INSERT, UPDATE, DELETE ON TABLE pgtandem." + std::string(own.get(i, 0)));
}

void check_table(pg::Session& session, pg::Rights& rights, const TableName& table, bool replica) {
  const pg::Result may = session.query(describe_table, {table.schema, table.name});
  if (may.rows() == 0) return;
  rights.lack_grant(may.get(0, 1) != "t", "USAGE ON SCHEMA " + pg::quote_identifier(table.schema));
  rights.lack_grant(!may.get(0, 2).empty(), std::string(may.get(0, 2)) + " ON TABLE " + pg::quote_table(table));
  rights.lack(may.get(0, 3) == "t", "ALTER ROLE " + rights.role() + " BYPASSRLS");
  const std::string oid(may.get(0, 0));
  const pg::Result types = session.query(describe_types, {oid});
  for (int i = 0; i < types.rows(); ++i) {
    const std::string schema(types.get(i, 0));
    rights.lack_grant(types.get(i, 1) != "t", "USAGE ON SCHEMA " + pg::quote_identifier(schema));
    rights.lack_grant(!types.is_null(i, 2), "USAGE ON TYPE " + pg::quote_table({schema, std::string(types.get(i, 2))}));
  }
  const pg::Result sequences = session.query(describe_sequences, {oid});
  for (int i = 0; i < sequences.rows(); ++i) {
    const TableName sequence{std::string(sequences.get(i, 0)), std::string(sequences.get(i, 1))};
    rights.lack_grant(sequences.get(i, 2) != "t", "USAGE ON SCHEMA " + pg::quote_identifier(sequence.schema));
    rights.lack_grant(sequences.get(i, 3) != "t", "SELECT, UPDATE ON SEQUENCE " + pg::quote_table(sequence));
  }
  if (replica) return;
  const std::string grant = replica_grant(session);
  for (const std::string& statement : sleep_statements(session, oid)) rights.lack(grant.empty() ? statement : grant);
}

}  // namespace

pg::Rights missing_rights(pg::Session& session, const config::Settings& settings) {
  pg::Rights rights(session);
  const pg::Result database = session.query(describe_database);
  check_own_tables(session, rights, database);
  rights.lack_grant(database.get(0, 0) != "t", "TEMPORARY ON DATABASE " + rights.database());
  const bool replica = may_be_replica(session);
  for (const TableName& table : settings.synchronization.sync_tables) check_table(session, rights, table, replica);
  return rights;
}

void check_rights(pg::Session& session, const config::Settings& settings) {
  const pg::Rights rights = missing_rights(session, settings);
  rights.refuse("apply init");
  if (may_be_replica(session)) return;
  const std::string grant = replica_grant(session);
  base::log(base::Level::warn, session.node() + ": the role " + rights.role() + " may not set " +
                                   "session_replication_role: foreign keys are checked, and changed keys are written " +
                                   "row by row" + (grant.empty() ? "" : "; " + grant));
}

}  // namespace apply
