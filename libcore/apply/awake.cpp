#include "apply/awake.hpp"

#include "pg/rights.hpp"

namespace apply {
namespace {

constexpr int has_set_privilege = 150000;  // the version from which SET on a parameter can be granted

}  // namespace

bool may_be_replica(pg::Session& session) {
  const pg::Result may =
      session.query(session.server_version() < has_set_privilege
                        ? "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
                        : "SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET')");
  return may.get(0, 0) == "t";
}

std::string replica_grant(pg::Session& session) {
  if (session.server_version() < has_set_privilege) return "";
  return "GRANT SET ON PARAMETER session_replication_role TO " + pg::Rights(session).role();
}

// REPLICA fires in sessions that are replicas, and is meant to: it has no part in one that is none.
std::vector<std::string> sleep_statements(pg::Session& session, const std::string& table_oid) {
  const pg::Result rows = session.query(
      R"(WITH tables AS (
           SELECT $1::pg_catalog.oid AS oid
           UNION SELECT relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass))
         SELECT pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', t.oid::pg_catalog.regclass, g.tgname)
           FROM tables t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid
          WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'R')
         UNION
         SELECT pg_catalog.format('ALTER TABLE %s DISABLE RULE %I', t.oid::pg_catalog.regclass, r.rulename)
           FROM tables t JOIN pg_catalog.pg_rewrite r ON r.ev_class = t.oid
          WHERE r.ev_enabled IN ('O', 'R')
          ORDER BY 1)",
      {table_oid});
  std::vector<std::string> out;
  for (int i = 0; i < rows.rows(); ++i) out.emplace_back(rows.get(i, 0));
  return out;
}

}  // namespace apply
