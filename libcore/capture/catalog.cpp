#include "capture/catalog.hpp"

#include "pg/quote.hpp"

namespace capture {

std::string Catalog::type_name(uint32_t type) {
  const pg::Result row = session_.query(
      "SELECT pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.pg_type t WHERE t.oid = $1::pg_catalog.oid",
      {std::to_string(type)});
  return row.rows() == 0 ? "" : std::string(row.get(0, 0));
}

// attmissingval is an array of one: what rows without the column show, set by ALTER TABLE … ADD COLUMN … DEFAULT
// where it did not rewrite the table (catalogs.sgml, pg_attribute). A serial's default speaks of a sequence of its own.
void Catalog::describe(uint32_t table, change::Relation& relation) {
  const pg::Result rows = session_.query(
      R"(SELECT a.attname, pg_catalog.format_type(a.atttypid, NULL),
                pg_catalog.format_type(a.atttypid, a.atttypmod)
                || CASE WHEN a.attcollation NOT IN (t.typcollation, 0)
                        THEN pg_catalog.format(' COLLATE %I.%I', n.nspname, c.collname) ELSE '' END
                || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
                CASE WHEN a.atthasmissing THEN pg_catalog.array_to_string(a.attmissingval, '') END
           FROM pg_catalog.pg_attribute a
           JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
           LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
           LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped)",
      {std::to_string(table)});
  for (int i = 0; i < rows.rows(); ++i)
    for (change::Column& column : relation.columns) {
      if (column.name != rows.get(i, 0) || column.type != rows.get(i, 1)) continue;
      if (rows.get(i, 2) != column.type) column.definition = rows.get(i, 2);
      if (!rows.is_null(i, 3)) column.default_value = rows.get(i, 3);
      if (!rows.is_null(i, 4)) column.missing = pg::quote_literal(rows.get(i, 4));
    }
}

}  // namespace capture
