#include "compare/table_shape.hpp"

#include <charconv>

namespace compare {
namespace {

double number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Where the statistics know nothing (never analysed), 60 rows a page: a wrong guess costs time, not truth.
constexpr const char* describe = R"(
  SELECT c.oid, c.relkind, pg_catalog.row_security_active(c.oid),
         pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
         pg_catalog.quote_ident(current_user), coalesce(l.rows, 0), coalesce(l.pages, 0), coalesce(l.foreign_part, ''),
         c.oid || '/' || c.relfilenode
           || coalesce((SELECT pg_catalog.string_agg(' ' || a.attnum, '' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '')
           || coalesce((SELECT pg_catalog.string_agg(pg_catalog.format(', %s/%s/%s', t.oid, t.relfilenode, i.xmin), ''
                                                     ORDER BY t.oid)
                          FROM pg_catalog.pg_partition_tree(c.oid) p JOIN pg_catalog.pg_class t ON t.oid = p.relid
                          LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = t.oid), '')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
      SELECT sum(CASE WHEN t.reltuples > 0 AND t.relpages > 0 THEN t.reltuples / t.relpages ELSE 60 END * s.pages) AS rows,
             max(s.pages) AS pages, min(t.oid::regclass::text) FILTER (WHERE t.relkind = 'f') AS foreign_part
        FROM pg_catalog.pg_class t
        CROSS JOIN LATERAL (SELECT ceil(pg_catalog.pg_relation_size(t.oid)
                                        / pg_catalog.current_setting('block_size')::numeric) AS pages) s
       WHERE t.oid = c.oid AND c.relkind = 'r'
          OR c.relkind = 'p' AND t.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf)) l ON true
   WHERE n.nspname = $1 AND c.relname = $2)";

// Of the column a. Not all that is NOT NULL is without NULLs: from 18 on such a constraint may be NOT VALID.
const std::string has_no_null = R"(a.attnotnull AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_constraint v WHERE v.conrelid = a.attrelid AND v.contype = 'n' AND NOT v.convalidated
              AND a.attnum = ANY (v.conkey)))";

const std::string describe_columns = R"(
  WITH RECURSIVE under (attnum, type, depth) AS (
    SELECT attnum, atttypid, 0 FROM pg_catalog.pg_attribute
     WHERE attrelid = $1::pg_catalog.oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT u.attnum, t.typbasetype, u.depth + 1
      FROM under u JOIN pg_catalog.pg_type t ON t.oid = u.type WHERE t.typtype = 'd')
  SELECT a.attname, pg_catalog.format_type(a.atttypid, NULL), pg_catalog.format_type(a.atttypid, a.atttypmod),
         pg_catalog.format_type(u.type, -1), u.depth > 0, t.typtype = 'e', )" +
                                     has_no_null + R"(, a.attgenerated <> '',
         CASE WHEN l.collname <> 'default' THEN pg_catalog.format('%I.%I', n.nspname, l.collname) END
    FROM pg_catalog.pg_attribute a
    JOIN under u ON u.attnum = a.attnum JOIN pg_catalog.pg_type t ON t.oid = u.type AND t.typtype <> 'd'
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
   WHERE a.attrelid = $1::pg_catalog.oid ORDER BY a.attnum)";

const std::string describe_keys = R"(
  SELECT i.indexrelid, i.indisprimary, i.indisreplident, a.attname, )" +
                                  has_no_null + R"(, coalesce(l.collisdeterministic, true)
    FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL unnest(i.indkey[0:i.indnkeyatts - 1], i.indcollation[0:i.indnkeyatts - 1])
      WITH ORDINALITY AS k(attnum, coll, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.coll
   WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
     AND i.indexprs IS NULL
   ORDER BY i.indisreplident DESC, i.indisprimary DESC, i.indexrelid, k.place)";

// The catalog is read as the snapshot has it, the function looks at what is.
constexpr const char* other_parts = R"(
  WITH RECURSIVE root AS (
    SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'),
  before (oid) AS (
    SELECT oid FROM root UNION ALL
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN before b ON b.oid = i.inhparent),
  now (oid) AS (SELECT t.relid::pg_catalog.oid FROM root CROSS JOIN LATERAL pg_catalog.pg_partition_tree(root.oid) t)
  (SELECT oid FROM before EXCEPT SELECT oid FROM now) UNION ALL (SELECT oid FROM now EXCEPT SELECT oid FROM before))";

}  // namespace

TableShape read_shape(pg::Session& session, const base::TableName& table) {
  TableShape shape;
  shape.node = session.node();
  shape.table = table;
  const pg::Result found = session.query(describe, {table.schema, table.name});
  if (found.rows() == 0) return shape;
  const std::string oid(found.get(0, 0));
  shape.exists = true;
  shape.identity = found.get(0, 8);
  shape.kind = found.get(0, 1)[0];
  shape.row_security = found.get(0, 2) == "t";
  shape.readable = found.get(0, 3) == "t";
  shape.user = found.get(0, 4);
  shape.rows = number(found.get(0, 5));
  shape.pages = static_cast<uint64_t>(number(found.get(0, 6)));
  // Ranges of ctid are read as such from 14 on; before, each would read the whole table.
  shape.ranges = session.server_version() >= 140000;
  shape.foreign_part = found.get(0, 7);

  const pg::Result columns = session.query(describe_columns, {oid});
  for (int i = 0; i < columns.rows(); ++i) {
    const auto text = [&](int field) { return std::string(columns.get(i, field)); };
    const auto is = [&](int field) { return columns.get(i, field) == "t"; };
    shape.columns.push_back({text(0), text(1), text(2), text(3), is(4), is(5), is(6), is(7), text(8)});
  }
  const pg::Result keys = session.query(describe_keys, {oid});
  std::string_view last;
  for (int i = 0; i < keys.rows(); ++i) {
    if (keys.get(i, 0) != last) shape.keys.emplace_back();
    last = keys.get(i, 0);
    ShapeKey& key = shape.keys.back();
    key.primary = keys.get(i, 1) == "t";
    key.identity = keys.get(i, 2) == "t";
    key.columns.emplace_back(keys.get(i, 3));
    key.nullable = key.nullable || keys.get(i, 4) != "t";
    key.deterministic = key.deterministic && keys.get(i, 5) == "t";
  }
  return shape;
}

bool parts_changed(pg::Session& session, const base::TableName& table) {
  return session.query(other_parts, {table.schema, table.name}).rows() > 0;
}

}  // namespace compare
