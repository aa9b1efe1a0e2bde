#include "compare/row_look.hpp"

#include <string_view>

#include "base/error.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

using change::Relation;
using change::ValueKind;

std::string name_of(size_t column) { return "k" + std::to_string(column); }

}  // namespace

std::string key_array(std::span<const RowKey> keys, size_t column) {
  std::string out = "{";
  for (const RowKey& key : keys) {
    if (out.size() > 1) out += ',';
    if (key[column].kind != ValueKind::text) {
      out += "NULL";
      continue;
    }
    out += '"';
    for (const char c : key[column].text()) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "}";
}

std::vector<SeenRow> RowLook::find(const Relation& relation, std::span<const RowKey> keys, const std::string& where,
                                   bool values) {
  std::vector<SeenRow> out(keys.size());
  const bool bare = relation.columns.empty();  // of no column: all rows are one, in many copies
  if (keys.empty() || (relation.key.empty() && !bare)) return out;
  const apply::TargetTable& table = targets_.of(relation);
  const bool keyed = relation.identity != change::Identity::full;
  std::vector<std::string> arrays;
  std::string parameters;
  std::string names;
  std::string condition;
  std::string theirs;  // a whole row as one text, on either side
  std::string ours;
  for (size_t i = 0; i < relation.key.size(); ++i) {
    const size_t c = relation.key[i];
    arrays.push_back(key_array(keys, i));
    parameters += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::text[]";
    names += (i == 0 ? "" : ", ") + name_of(i);
    const std::string cast = "k." + name_of(i) + "::" + table.types[c];
    if (keyed) condition += (i == 0 ? "" : " AND ") + ("t." + table.columns[c] + " " + table.equals[i] + " " + cast);
    ours += (i == 0 ? "" : ", ") + cast + "::text";
    theirs += (i == 0 ? "" : ", ") + ("t." + table.columns[c] + "::text");
  }
  std::string select = "SELECT k.n";
  if (keyed) {
    select += ", t.\"pgtandem version\"";
    if (values)
      for (const std::string& column : table.columns) select += ", t." + column;
  } else {
    // A sum, since rows come in any order; the manual calls the function stable within a major version, which is
    // enough.
    select += ", count(*), sum(pg_catalog.hashtextextended(t.\"pgtandem version\", 0))";
    condition = "ARRAY[" + ours + "]::text = ARRAY[" + theirs + "]::text";
  }
  const std::string rows = "(SELECT " + apply::column_list(table) + (bare ? "" : ", ") +
                           "(tableoid, ctid, xmin)::text AS \"pgtandem version\" FROM " + table.rows +
                           (where.empty() ? "" : " WHERE " + where) + ") AS t";
  if (bare) {
    parameters = "array_fill(NULL::text, ARRAY[" + std::to_string(keys.size()) + "])";
    names = name_of(0);
    condition = "true";
  }
  const std::string sql = select + " FROM unnest(" + parameters + ") WITH ORDINALITY AS k(" + names + ", n) JOIN " +
                          rows + " ON " + condition + (keyed ? "" : " GROUP BY k.n");
  const std::vector<pg::Parameter> parts(arrays.begin(), arrays.end());
  const pg::Result found = session_.query_until_stopped(sql, parts, meanwhile_);
  if (!found) throw base::Transient(base::Exit::try_later, "a look at rows was broken off");
  for (int i = 0; i < found.rows(); ++i) {
    SeenRow& row = out[std::stoul(std::string(found.get(i, 0))) - 1];
    if (!keyed) {
      row.copies = std::stoull(std::string(found.get(i, 1)));
      row.version = found.get(i, 2);
      continue;
    }
    ++row.copies;
    row.version = found.get(i, 1);
    row.values.clear();
    for (size_t c = 0; values && c < table.columns.size(); ++c) {
      const int at = static_cast<int>(c) + 2;
      row.values.push_back(found.is_null(i, at) ? std::nullopt : std::optional(std::string(found.get(i, at))));
    }
  }
  return out;
}

const std::vector<std::string>& RowLook::declared(const Relation& relation) {
  std::vector<std::string>& out = declared_[&relation];
  if (!out.empty()) return out;
  const pg::Result rows = session_.query(
      R"(SELECT attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
          WHERE attrelid = $1::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped)",
      {pg::quote_table(relation.table)});
  std::map<std::string_view, std::string_view> types;
  for (int i = 0; i < rows.rows(); ++i) types[rows.get(i, 0)] = rows.get(i, 1);
  for (const change::Column& column : relation.columns) out.emplace_back(types[column.name]);
  return out;
}

}  // namespace compare
