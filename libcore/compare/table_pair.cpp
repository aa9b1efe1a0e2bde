#include "compare/table_pair.hpp"

#include <algorithm>
#include <set>

#include "apply/declared_type.hpp"
#include "base/error.hpp"
#include "capture/table_fit.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;

std::string named(const TableShape& shape) { return shape.node + ": table " + shape.table.text(); }

void check_readable(const TableShape& shape, bool primary) {
  if (!shape.exists)
    throw Error(primary ? Exit::config : Exit::data,
                named(shape) + (primary ? capture::does_not_exist
                                        : " does not exist; create it as on the primary (pg_dump -s -t)"));
  if (shape.kind != 'r' && shape.kind != 'p')
    throw Error(Exit::data, named(shape) + " is not a table; only tables can be compared, take it out of sync_tables");
  if (!shape.readable)
    throw Error(Exit::no_right, named(shape) + " may not be read; GRANT USAGE ON SCHEMA " +
                                    pg::quote_identifier(shape.table.schema) + ", SELECT ON " +
                                    pg::quote_table(shape.table) + " to " + shape.user);
  if (shape.row_security)  // it would hide rows, and they would be found missing
    throw Error(Exit::no_right, named(shape) + " has row-level security that the role is subject to; ALTER ROLE " +
                                    shape.user + " BYPASSRLS");
  if (!shape.foreign_part.empty())
    throw Error(Exit::data, named(shape) + capture::has_foreign_part(shape.table, shape.foreign_part));
}

const ShapeColumn* find(const TableShape& shape, const std::string& name) {
  const auto found = std::ranges::find(shape.columns, name, &ShapeColumn::name);
  return found == shape.columns.end() ? nullptr : &*found;
}

bool is_integer(const std::string& type) { return type == "smallint" || type == "integer" || type == "bigint"; }
bool is_float(const std::string& type) { return type == "real" || type == "double precision"; }
bool is_blank_padded(const std::string& type) { return type == "bpchar"; }
bool is_string(const ShapeColumn& column) {
  static const std::set<std::string> types = {"text", "character varying", "bpchar", "name", "\"char\""};
  return types.contains(column.base) || column.is_enum || column.base.ends_with("citext");
}

// What of the two columns is the same where their values are, for the types that can be compared at all.
DigestColumn compared(const ShapeColumn& ours, const ShapeColumn& theirs, const TableShape& standby) {
  const std::string column = pg::quote_identifier(ours.name);
  DigestColumn out{column, form_of(ours.base), ours.base, !(ours.not_null && theirs.not_null)};
  const auto as = [&](const std::string& sql, Form form) {
    out.sql = sql;
    out.form = form;
    return out;
  };
  if (ours.base == theirs.base) {
    if (ours.base == "numeric" && ours.declared != theirs.declared)
      return as("trim_scale(" + column + (ours.is_domain || theirs.is_domain ? "::numeric)" : ")"), Form::as_text);
    if (is_blank_padded(ours.base) && ours.declared != theirs.declared)
      return as("rtrim(" + column + "::text, ' ')", Form::text);
    if ((ours.is_domain || theirs.is_domain) && out.form != Form::as_text) out.sql += "::" + ours.base;
    return out;
  }
  if (is_integer(ours.base) && is_integer(theirs.base)) return as(column + "::bigint", Form::int8);
  if ((is_integer(ours.base) || ours.base == "numeric") && (is_integer(theirs.base) || theirs.base == "numeric"))
    return as("trim_scale(" + column + "::numeric)", Form::as_text);
  if (is_float(ours.base) && is_float(theirs.base)) return as(column, Form::as_text);
  if (is_string(ours) && is_string(theirs))
    return as(is_blank_padded(ours.base) || is_blank_padded(theirs.base) ? "rtrim(" + column + "::text, ' ')"
                                                                         : column + "::text",
              Form::text);
  throw Error(Exit::data, named(standby) + " has the column " + column + " as " + theirs.declared +
                              ", the primary as " + ours.declared + ", and their values do not compare; ALTER TABLE " +
                              pg::quote_table(standby.table) + " ALTER COLUMN " + column + " TYPE " + ours.declared);
}

void add_column(TablePair& pair, const ShapeColumn& ours, const TableShape& standby) {
  const std::string column = pg::quote_identifier(ours.name);
  const ShapeColumn* theirs = find(standby, ours.name);
  if (theirs == nullptr)
    throw Error(Exit::data, named(standby) + " has no column " + column + "; ALTER TABLE " +
                                pg::quote_table(standby.table) + " ADD COLUMN " + column + " " + ours.declared);
  if (theirs->generated)
    throw Error(Exit::data, named(standby) + " generates the column " + column +
                                ", which the primary stores; make it an ordinary one");
  pair.relation.columns.push_back({ours.name, ours.type, change::json_kind(ours.type)});
  pair.columns.push_back(compared(ours, *theirs, standby));
  // The database's own collation often differs between machines; one that was chosen should not.
  if (ours.collation != theirs->collation)
    pair.notes.push_back(standby.table.text() + ": column " + column + " has the collation " +
                         (theirs->collation.empty() ? "of the database" : theirs->collation) + " on " + standby.node +
                         ", the primary's " + (ours.collation.empty() ? "that of its database" : ours.collation) +
                         "; values are compared byte by byte");
  const bool same = ours.declared == theirs->declared ||
                    (ours.type == theirs->type && ours.declared == ours.type && theirs->declared == theirs->type);
  pair.mixed.push_back(!same);
  if (apply::holds(theirs->declared, ours.declared) != apply::Holds::all)
    pair.notes.push_back(standby.table.text() + ": column " + column + " is " + theirs->declared + " on " +
                         standby.node + ", which cannot keep all values of the primary's " + ours.declared +
                         "; ALTER TABLE " + pg::quote_table(standby.table) + " ALTER COLUMN " + column + " TYPE " +
                         ours.declared);
  else if (!same)
    pair.notes.push_back(standby.table.text() + ": column " + column + " is " + theirs->declared + " on " +
                         standby.node + ", the primary's is " + ours.declared +
                         "; values are compared, the difference of type is none");
}

bool same_columns(const ShapeKey& a, const ShapeKey& b) {
  return std::set(a.columns.begin(), a.columns.end()) == std::set(b.columns.begin(), b.columns.end());
}

void add_key(TablePair& pair, const TableShape& primary, const TableShape& standby) {
  change::Relation& relation = pair.relation;
  const auto is_sent = [&](const std::string& name) {
    return std::ranges::find(relation.columns, name, &change::Column::name) != relation.columns.end();
  };
  // The replica identity comes first, then the primary key, then any other that tells all rows apart.
  const auto key = std::ranges::find_if(primary.keys, [&](const ShapeKey& candidate) {
    return !candidate.nullable && std::ranges::all_of(candidate.columns, is_sent);
  });
  if (key == primary.keys.end()) {
    relation.identity = change::Identity::full;
    for (uint16_t i = 0; i < relation.columns.size(); ++i) relation.key.push_back(i);
    return;
  }
  const auto theirs = std::ranges::find_if(standby.keys, [&](const ShapeKey& k) { return same_columns(k, *key); });
  if (theirs == standby.keys.end())
    throw Error(Exit::data, named(standby) + " has no unique index on the primary's key; CREATE UNIQUE INDEX ON " +
                                pg::quote_table(standby.table) + " (" + pg::quote_identifiers(key->columns) + ")");
  if (theirs->nullable)
    throw Error(Exit::data, named(standby) + " may have NULL in the primary's key (" +
                                pg::quote_identifiers(key->columns) + "); ALTER TABLE " +
                                pg::quote_table(standby.table) + " ALTER COLUMN … SET NOT NULL");
  if (key->deterministic != theirs->deterministic)
    throw Error(Exit::data, named(standby) + " has another collation for the key (" +
                                pg::quote_identifiers(key->columns) +
                                "), by which other keys are equal than on the primary; declare it as there");
  relation.identity = key->primary ? change::Identity::primary_key : change::Identity::index;
  for (uint16_t i = 0; i < relation.columns.size(); ++i)
    if (std::ranges::find(key->columns, relation.columns[i].name) != key->columns.end()) {
      relation.key.push_back(i);
      pair.key.push_back(pair.columns[i]);
    }
  const Form form = pair.key.front().form;
  pair.integer_key = pair.key.size() == 1 && (form == Form::int2 || form == Form::int4 || form == Form::int8);
}

std::string from(const TableShape& shape) { return (shape.kind == 'p' ? "" : "ONLY ") + pg::quote_table(shape.table); }

}  // namespace

TablePair pair_tables(const TableShape& primary, const TableShape& standby, const config::TableFilter* filter) {
  check_readable(primary, true);
  check_readable(standby, false);
  TablePair pair;
  pair.table = primary.table;
  pair.relation.table = primary.table;
  pair.relation.text = primary.table.text();
  const std::vector<std::string> listed = filter == nullptr ? std::vector<std::string>() : filter->columns;
  for (const std::string& name : listed)
    if (find(primary, name) == nullptr)
      throw Error(Exit::config, primary.node + ": filters." + primary.table.text() + ".columns names " +
                                    pg::quote_identifier(name) +
                                    ", which the table does not have; correct the configuration");
  for (const ShapeColumn& column : primary.columns)
    // What is generated on the primary is not sent; the standby generates its own.
    if (!column.generated && (listed.empty() || std::ranges::find(listed, column.name) != listed.end()))
      add_column(pair, column, standby);
  add_key(pair, primary, standby);
  pair.primary_from = from(primary);
  pair.standby_from = from(standby);
  if (filter != nullptr && !filter->where.empty()) pair.primary_where = pg::quote_condition(filter->where);
  return pair;
}

}  // namespace compare
