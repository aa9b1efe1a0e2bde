#include "apply/enum_labels.hpp"

#include <map>
#include <string_view>

#include "pg/quote.hpp"

namespace apply {
namespace {

// Columns that hold an enum, or a domain over one, or an array of either.
constexpr const char* enum_columns = R"(
  WITH RECURSIVE under(name, type, several) AS (
    SELECT a.attname, a.atttypid, false FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT u.name, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END, u.several OR t.typtype <> 'd'
      FROM under u JOIN pg_catalog.pg_type t ON t.oid = u.type
     WHERE t.typtype = 'd' OR (t.typelem <> 0 AND t.typlen = -1))
  SELECT u.name, t.oid, pg_catalog.format_type(t.oid, NULL), u.several
    FROM under u JOIN pg_catalog.pg_type t ON t.oid = u.type WHERE t.typtype = 'e')";

std::string label_missing_in(bool several) {
  return std::string("SELECT v FROM ") + (several ? "pg_catalog.unnest($2::text[])" : "(VALUES ($2::text))") +
         " AS given(v) WHERE v IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_enum e"
         " WHERE e.enumtypid = $1::pg_catalog.oid AND e.enumlabel = v) LIMIT 1";
}

}  // namespace

std::optional<MissingLabel> missing_label(pg::Session& session, const Operation& operation) {
  const change::Relation& relation = *operation.relation;
  std::multimap<std::string_view, std::string_view> values;
  const auto take = [&](const change::Column& column, const change::Value& value) {
    if (value.kind == change::ValueKind::text) values.emplace(column.name, value.text());
  };
  for (size_t i = 0; i < operation.key.size() && i < relation.key.size(); ++i)
    take(relation.columns[relation.key[i]], operation.key[i]);
  for (size_t i = 0; i < operation.row.size(); ++i) take(relation.columns[i], operation.row[i]);
  const pg::Result columns = session.query(enum_columns, {pg::quote_table(relation.table)});
  for (int i = 0; i < columns.rows(); ++i) {
    const std::string sql = label_missing_in(columns.get(i, 3) == "t");
    for (auto [at, end] = values.equal_range(columns.get(i, 0)); at != end; ++at) {
      const pg::Result missing = session.query(sql, {columns.get(i, 1), at->second});
      if (missing.rows() > 0) return MissingLabel{std::string(columns.get(i, 2)), pg::quote_literal(missing.get(0, 0))};
    }
  }
  return {};
}

}  // namespace apply
