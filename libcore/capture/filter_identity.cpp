#include "capture/filter_identity.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "pg/quote.hpp"

namespace capture {

std::string identity_misfit(const TableIdentity& table, const config::TableFilter& filter) {
  if (table.identity == 'n') return "";  // its rows are only ever inserted, PostgreSQL refuses all else by itself
  const bool full = table.identity == 'f';
  const std::string alter = "ALTER TABLE " + table.table + " REPLICA IDENTITY ";
  std::vector<std::string> unlisted;    // of the identity, not in the column list
  std::vector<std::string> unseen;      // of the condition, not in the identity
  std::vector<std::string> left_apart;  // sent, and perhaps without its value
  std::vector<std::string> index;       // what an index for the condition has to hold
  for (const IdentityColumn& column : table.columns) {
    const bool sent = filter.columns.empty() ||
                      std::find(filter.columns.begin(), filter.columns.end(), column.name) != filter.columns.end();
    if (column.in_identity && !sent) unlisted.push_back(column.name);
    if (column.in_where && !column.in_identity) unseen.push_back(column.name);
    if (sent && column.toastable && !column.in_identity) left_apart.push_back(column.name);
    if (column.in_where || column.in_identity) index.push_back(column.name);
  }
  if (!filter.columns.empty() && full)
    return "a list of columns cannot go with REPLICA IDENTITY FULL: updates on the primary would fail; remove columns, "
           "or " +
           alter + "DEFAULT (or USING INDEX)";
  if (!filter.columns.empty() && !unlisted.empty())
    return "columns lacks " + pg::quote_identifiers(unlisted) +
           " of the replica identity: updates on the primary would fail; add it";
  if (filter.where.empty() || full) return "";
  const std::string make_full = filter.columns.empty() ? alter + "FULL" : "remove columns and " + alter + "FULL";
  if (!unseen.empty()) {
    std::string out = "where uses " + pg::quote_identifiers(unseen) +
                      ", which the replica identity does not hold: updates on the primary would fail; " + make_full;
    if (left_apart.empty())
      out += ", or " + alter + "USING INDEX a unique index on (" + pg::quote_identifiers(index) + ")";
    return out;
  }
  if (!left_apart.empty())
    return "a row that enters the condition by an update would come without its large values of " +
           pg::quote_identifiers(left_apart) + "; " + make_full;
  return "";
}

void check_identity(pg::Session& session, const base::TableName& table, const config::TableFilter& filter,
                    const std::string& condition) {
  // The columns of a condition stand in the tree that the server keeps of it, as :varattno; 0 is the whole row.
  const pg::Result rows = session.query(
      R"(WITH member AS (
           SELECT c.oid AS root, $1::pg_catalog.text AS qual
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $2 AND c.relname = $3),
         used AS (
           SELECT (pg_catalog.regexp_matches(qual, ':varattno (\d+)', 'g'))[1]::pg_catalog.int4 AS attnum FROM member),
         conditions AS (
           SELECT a.attname FROM member m JOIN pg_catalog.pg_attribute a ON a.attrelid = m.root
             JOIN used u ON u.attnum IN (0, a.attnum)),
         relations AS (
           SELECT root AS oid, 0 AS place FROM member
           UNION SELECT t.relid::pg_catalog.oid, 1 FROM member m, pg_catalog.pg_partition_tree(m.root) t
            WHERE t.isleaf AND t.relid <> m.root)
         SELECT pg_catalog.format('"%s"."%s"', pg_catalog.replace(n.nspname, '"', '""'),
                                  pg_catalog.replace(c.relname, '"', '""')),
                c.relreplident, a.attname,
                c.relreplident = 'f' OR EXISTS (
                  SELECT FROM pg_catalog.pg_index i
                   WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
                     AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END),
                a.attname IN (SELECT attname FROM conditions),
                a.attstorage <> 'p' AND (c.reltoastrelid <> 0 OR c.relkind = 'p') AND a.attgenerated = ''
           FROM relations m JOIN pg_catalog.pg_class c ON c.oid = m.oid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          ORDER BY m.place, c.oid, a.attnum)",
      {condition, table.schema, table.name});
  TableIdentity identity;
  const auto check = [&] {
    const std::string why = identity_misfit(identity, filter);
    if (!why.empty()) throw base::Error(base::Exit::data, session.node() + ": filters." + table.text() + ": " + why);
  };
  for (int i = 0; i < rows.rows(); ++i) {
    if (identity.table != rows.get(i, 0)) {
      if (i > 0) check();
      identity = {std::string(rows.get(i, 0)), rows.get(i, 1)[0], {}};
    }
    identity.columns.push_back(
        {std::string(rows.get(i, 2)), rows.get(i, 3) == "t", rows.get(i, 4) == "t", rows.get(i, 5) == "t"});
  }
  check();
}

}  // namespace capture
