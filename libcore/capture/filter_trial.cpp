#include "capture/filter_trial.hpp"

#include "base/error.hpp"
#include "capture/filter_identity.hpp"
#include "capture/publication_sql.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"
#include "pg/transaction.hpp"

namespace capture {
namespace {

using base::Error;
using base::Exit;
using base::TableName;
using config::TableFilter;

void check_columns(pg::Session& session, const TableName& table, const TableFilter& filter) {
  const std::string named = session.node() + ": filters." + table.text() + ".columns";
  for (const std::string& column : filter.columns) {
    const pg::Result found = session.query(
        R"(SELECT a.attgenerated <> ''
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped)",
        {table.schema, table.name, column});
    if (found.rows() == 0)
      throw Error(Exit::config, named + " names " + pg::quote_identifier(column) +
                                    ", which the table does not have; correct the configuration");
    if (found.get(0, 0) == "t")
      throw Error(Exit::config, named + " names " + pg::quote_identifier(column) +
                                    ", which is generated: the standby generates its own; remove it there");
  }
}

void check_version(pg::Session& session) {
  if (session.server_version() < has_filters)
    throw Error(Exit::config, session.node() + ": filters of tables need PostgreSQL 15, this server is " +
                                  std::to_string(session.server_version() / 10000) +
                                  "; remove them, or filter by filters.program");
}

[[noreturn]] void refuse_filter(pg::Session& session, const TableName& table, const pg::SqlError& refused) {
  if (refused.kind() == Exit::no_right) throw refused;
  throw Error(Exit::config, session.node() + ": filters." + table.text() +
                                ": PostgreSQL refuses it: " + refused.reason() + "; correct the configuration");
}

void prepare_condition(pg::Session& session, const TableName& table, const TableFilter& filter) {
  session.prepare("", "SELECT FROM ONLY " + pg::quote_table(table) + " WHERE " + pg::quote_condition(filter.where));
}

}  // namespace

std::string published_condition(pg::Session& session, const std::string& name, const TableName& table) {
  const pg::Result tree = session.query(
      R"(SELECT coalesce(r.prqual::pg_catalog.text, '')
           FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
           JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE p.pubname = $1 AND n.nspname = $2 AND c.relname = $3)",
      {name, table.schema, table.name});
  return tree.rows() == 0 ? "" : std::string(tree.get(0, 0));
}

// The condition has to be right at two places that read it differently: a text that closes our parenthesis and goes on
// passes at most one of them.
void try_filter(pg::Session& session, const config::Settings& settings, const std::string& name, const TableName& table,
                const TableFilter& filter) {
  check_version(session);
  check_columns(session, table, filter);
  const std::string trial = name.substr(0, 56) + "_trial";
  try {
    if (!filter.where.empty()) prepare_condition(session, table, filter);
    pg::in_transaction(session, "ROLLBACK", [&] {
      pg::run_one(session, "CREATE PUBLICATION " + pg::quote_identifier(trial) + " FOR TABLE " +
                               member_sql(settings, table) + " WITH " + publish_all);
      check_identity(session, table, filter, published_condition(session, trial, table));
    });
  } catch (const pg::SqlError& refused) {
    refuse_filter(session, table, refused);
  }
}

// A view keeps a condition in the same form.
void try_filter_by_view(pg::Session& session, const TableName& table, const TableFilter& filter) {
  check_version(session);
  check_columns(session, table, filter);
  std::string tree;
  try {
    if (filter.where.empty()) return check_identity(session, table, filter, tree);
    prepare_condition(session, table, filter);
    pg::in_transaction(session, "ROLLBACK", [&] {
      pg::run_one(session, "CREATE TEMPORARY VIEW pgtandem_trial AS SELECT 1 AS one FROM ONLY " +
                               pg::quote_table(table) + " WHERE " + pg::quote_condition(filter.where));
      tree = session
                 .query(
                     "SELECT ev_action::pg_catalog.text FROM pg_catalog.pg_rewrite WHERE ev_class = "
                     "'pg_temp.pgtandem_trial'::pg_catalog.regclass")
                 .get(0, 0);
    });
  } catch (const pg::SqlError& refused) {
    refuse_filter(session, table, refused);
  }
  check_identity(session, table, filter, tree);
}

}  // namespace capture
