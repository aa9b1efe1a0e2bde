#include "apply/statement.hpp"

#include <algorithm>

#include "pg/quote.hpp"

namespace apply {
namespace {

using change::EventType;
using change::Value;
using change::ValueKind;

std::string add(Statement& statement, const Value& value) {
  statement.values.push_back(value.kind == ValueKind::text ? pg::Parameter(value.text()) : std::nullopt);
  return "$" + std::to_string(statement.values.size());
}

// The row that an operation's key names. Where only all columns together name it, their text must be equal (json and
// others know no other equality; what a cast to text makes of a bool or a char(n) is not what the stream says, so both
// sides take that way), and of several rows alike any one is meant.
std::string row_of(Statement& statement, const Operation& operation, const TargetTable& table) {
  std::string condition;
  for (size_t m = 0; m < table.match.size(); ++m) {
    const uint16_t i = table.match[m];
    size_t in_key = 0;
    while (operation.relation->key[in_key] != i) ++in_key;
    const std::string place = add(statement, operation.key[in_key]);
    condition += condition.empty() ? "" : " AND ";
    condition += table.match_is_unique
                     ? table.columns[i] + " " + table.equals[m] + " " + place + "::" + table.types[i]
                     : table.columns[i] + "::text IS NOT DISTINCT FROM " + place + "::" + table.types[i] + "::text";
  }
  if (table.match_is_unique) return condition;
  if (condition.empty()) condition = "true";  // a table without columns
  const std::string row = table.partitioned ? "(tableoid, ctid)" : "ctid";
  return row + " = (SELECT " + (table.partitioned ? "tableoid, ctid" : "ctid") + " FROM " + table.rows + " WHERE " +
         condition + " LIMIT 1)";
}

// Whether the standby's row is later than what the operation brings; NULL is never later.
std::string is_later(Statement& statement, const Operation& operation, const TargetTable& table,
                     std::optional<size_t> newest) {
  if (!newest || operation.row.empty() || operation.row[*newest].kind != ValueKind::text) return "false";
  return "coalesce(t." + table.columns[*newest] + " > " + add(statement, operation.row[*newest]) + ", false)";
}

// What `operation` would have in the index, worked out by itself, as WITH: a column that the change does not carry is
// unknown to it (42703), where a query inside another would take the old row's. It has no row where the new one is not
// in the index.
std::string brought_by(Statement& statement, const Operation& operation, const TargetTable& table,
                       const UniqueIndex& index) {
  std::string row;
  for (size_t i = 0; i < operation.row.size(); ++i)
    if (operation.row[i].kind != ValueKind::absent)
      row += (row.empty() ? "" : ", ") + add(statement, operation.row[i]) + "::" + table.types[i] + " AS " +
             table.columns[i];
  std::string out;
  for (size_t i = 0; i < index.elements.size(); ++i)
    out += (i == 0 ? "WITH brought AS (SELECT (" : ", (") + index.elements[i] + ") AS e" + std::to_string(i);
  out += " FROM (SELECT " + row + ") AS t";
  if (!index.predicate.empty()) out += " WHERE (" + index.predicate + ")";
  return out + ") ";
}
std::string brought(size_t element) { return "(SELECT brought.e" + std::to_string(element) + " FROM brought)"; }

// The rows that keep `operation` out by the index.
struct Rivals {
  std::string brought;  // WITH
  std::string condition;
};
Rivals rivals_of(Statement& statement, const Operation& operation, const TargetTable& table, const UniqueIndex& index) {
  Rivals out{brought_by(statement, operation, table, index), "EXISTS (SELECT FROM brought)"};
  for (size_t i = 0; i < index.elements.size(); ++i)
    out.condition += " AND " + clashes(index, i, "(" + index.elements[i] + ")", brought(i));
  if (!index.predicate.empty()) out.condition += " AND (" + index.predicate + ")";
  if (!table.match.empty() && operation.key.size() == operation.relation->key.size())
    out.condition += " AND (" + row_of(statement, operation, table) + ") IS NOT TRUE";
  return out;
}

Statement update_row(const Operation& operation, const TargetTable& table, std::optional<size_t> newest) {
  Statement out;
  std::string set;
  std::string unchanged;  // an identity that no UPDATE may set; a row with another one is not the row that is meant
  for (size_t i = 0; i < operation.row.size(); ++i) {
    if (operation.row[i].kind == ValueKind::absent) continue;
    const std::string equals = table.columns[i] + " = " + add(out, operation.row[i]);
    if (table.always[i])
      unchanged += " AND " + equals;
    else
      set += (set.empty() ? "" : ", ") + equals;
  }
  if (set.empty()) set = set_nothing(table);
  if (newest) unchanged += " AND NOT " + is_later(out, operation, table, newest);
  out.sql = "UPDATE " + table.rows + " AS t SET " + set + " WHERE " + row_of(out, operation, table) + unchanged;
  return out;
}

}  // namespace

bool is_whole(const Operation& operation) {
  return !operation.row.empty() && std::none_of(operation.row.begin(), operation.row.end(),
                                                [](const Value& value) { return value.kind == ValueKind::absent; });
}

bool moves_key(const Operation& operation, const TargetTable& table) {
  if (operation.type != EventType::update) return false;
  for (size_t i = 0; i < operation.key.size(); ++i) {
    if (std::find(table.match.begin(), table.match.end(), operation.relation->key[i]) == table.match.end()) continue;
    const Value& now = operation.row[operation.relation->key[i]];
    if (now.kind != ValueKind::absent && (now.kind != operation.key[i].kind || now.text() != operation.key[i].text()))
      return true;
  }
  return false;
}

Statement statement_of(const Operation& operation, const TargetTable& table, std::optional<size_t> newest) {
  switch (operation.type) {
    case EventType::insert:
      return insert_row(operation, table);
    case EventType::update:
      return update_row(operation, table, newest);
    default:
      return delete_row(operation, table);
  }
}

Statement insert_row(const Operation& operation, const TargetTable& table) {
  Statement out;
  if (table.columns.empty()) return {"INSERT INTO " + table.name + " DEFAULT VALUES", {}};
  std::string places;
  for (const Value& value : operation.row) places += (places.empty() ? "" : ", ") + add(out, value);
  out.sql =
      "INSERT INTO " + table.name + " (" + column_list(table) + ") OVERRIDING SYSTEM VALUE VALUES (" + places + ")";
  return out;
}

Statement delete_row(const Operation& operation, const TargetTable& table) {
  Statement out;
  out.sql = "DELETE FROM " + table.rows + " WHERE " + row_of(out, operation, table);
  return out;
}

Statement remake_row(const Operation& operation, const TargetTable& table) {
  Statement out;
  std::string row;
  for (size_t i = 0; i < operation.row.size(); ++i)
    row += (i == 0 ? "" : ", ") + (operation.row[i].kind == ValueKind::absent
                                       ? "old." + table.columns[i]
                                       : add(out, operation.row[i]) + "::" + table.types[i]);
  out.sql = "WITH old AS (DELETE FROM " + table.rows + " WHERE " + row_of(out, operation, table) +
            " RETURNING *) INSERT INTO " + table.name + " (" + column_list(table) +
            ") OVERRIDING SYSTEM VALUE SELECT " + row + " FROM old";
  return out;
}

Statement select_row(const Operation& operation, const TargetTable& table, std::optional<size_t> newest) {
  Statement out;
  out.sql = "SELECT pg_catalog.to_jsonb(t.*), " + is_later(out, operation, table, newest) + " FROM " + table.rows +
            " AS t WHERE " + row_of(out, operation, table);
  return out;
}

Statement select_rivals(const Operation& operation, const TargetTable& table, const UniqueIndex& index,
                        std::optional<size_t> newest) {
  Statement out;
  const std::string later = is_later(out, operation, table, newest);
  const Rivals rivals = rivals_of(out, operation, table, index);
  out.sql = rivals.brought + "SELECT pg_catalog.to_jsonb(t.*), " + later + " FROM " + table.rows + " AS t WHERE " +
            rivals.condition;
  return out;
}

Statement select_if_it_has(const Operation& operation, const TargetTable& table, const UniqueIndex& index) {
  Statement out;
  out.sql = brought_by(out, operation, table, index) + "SELECT pg_catalog.to_jsonb(t.*), false FROM " + table.rows +
            " AS t WHERE " + row_of(out, operation, table);
  // What keeps apart by another operator than that of equality cannot tell by it that two are the same.
  if (index.excludes) {
    std::string there;
    std::string here;
    for (size_t i = 0; i < index.elements.size(); ++i) {
      there += (i == 0 ? "(" : ", (") + index.elements[i] + ")";
      here += (i == 0 ? "" : ", ") + std::string("brought.e") + std::to_string(i);
    }
    out.sql += " AND (SELECT ROW(" + there + ")) OPERATOR(pg_catalog.*=) (SELECT ROW(" + here + ") FROM brought)";
  } else {
    for (size_t i = 0; i < index.elements.size(); ++i)
      out.sql += " AND " + clashes(index, i, "(" + index.elements[i] + ")", brought(i));
  }
  if (!index.predicate.empty()) out.sql += " AND (" + index.predicate + ")";
  return out;
}

Statement delete_rivals(const Operation& operation, const TargetTable& table, const UniqueIndex& index) {
  Statement out;
  const Rivals rivals = rivals_of(out, operation, table, index);
  out.sql = rivals.brought + "DELETE FROM " + table.rows + " AS t WHERE " + rivals.condition;
  return out;
}

}  // namespace apply
