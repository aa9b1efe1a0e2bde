#include "apply/misfit.hpp"

#include <algorithm>

#include "apply/declared_type.hpp"
#include "apply/shape.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

using change::Column;

const StandbyColumn* find(const std::vector<StandbyColumn>& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const StandbyColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

template <class Columns>
bool has(const Columns& columns, const std::string& name) {
  return std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column.name == name; });
}

// The standby's column that a missing one may have been before it was renamed; empty if there is none.
std::string former_name(const Column& missing, const change::Relation& is, const std::optional<change::Relation>& was,
                        const std::vector<StandbyColumn>& columns) {
  for (const StandbyColumn& column : columns)
    if (!column.generated && column.type == missing.type && !has(is.columns, column.name) &&
        (!was || has(was->columns, column.name)))
      return column.name;
  return {};
}

// Whether a default is this literal: 1.50 or 'a'::text for '1.50' or 'a'.
bool is_constant(const std::string& expression, const std::string& literal) {
  return !literal.empty() && ("'" + expression + "'" == literal || expression.starts_with(literal + "::"));
}

std::string joined(const std::vector<std::string>& statements) {
  std::string out;
  for (const std::string& statement : statements) out += (out.empty() ? "" : "; ") + statement;
  return out;
}

const Column* column_of(const change::Relation& relation, const std::string& name) {
  const auto found = std::ranges::find(relation.columns, name, &Column::name);
  return found == relation.columns.end() ? nullptr : &*found;
}

// The type as declared; empty where the stream does not tell. A comparison's knows nothing of lengths.
std::string declared_of(const change::Relation& relation, const Column& column) {
  const bool tells = std::ranges::any_of(relation.columns, [](const Column& c) { return !c.definition.empty(); });
  return !tells ? "" : column.definition.empty() ? column.type : declared_in(column.definition);
}

// What is rounded is never wanted; what is refused goes to quarantine, row by row, unless the primary's column just
// became so, or nothing was ever applied.
template <class Refuse, class Alter>
void check_declared(const change::Relation& is, const std::optional<change::Relation>& was,
                    const std::vector<StandbyColumn>& columns, const Refuse& refuse, const Alter& alter) {
  for (const Column& column : is.columns) {
    const StandbyColumn& there = *find(columns, column.name);
    const std::string declared = declared_of(is, column);
    if (declared.empty() || there.declared.empty()) continue;
    const Holds fit = holds(there.declared, declared);
    const Column* const before = was ? column_of(*was, column.name) : nullptr;
    const bool is_new = before == nullptr || declared_of(*was, *before) != declared;
    if (fit == Holds::all || (fit == Holds::not_all && !is_new)) continue;
    refuse("has the column " + column.name + " as " + there.declared + ", which is " + declared +
           " on the primary: not all of its values could be kept; " +
           alter("ALTER COLUMN " + pg::quote_identifier(column.name) + " TYPE " + declared));
  }
}

}  // namespace

void check_shape(const std::string& node, const change::Relation& is, const std::optional<change::Relation>& was,
                 const std::vector<StandbyColumn>& columns, bool follows) {
  const std::string table = pg::quote_table(is.table);
  const std::string where = node + ": table " + is.text + " ";
  const auto alter = [&table](const std::string& what) { return "ALTER TABLE " + table + " " + what; };
  const auto refuse = [&](const std::string& what) { throw Misfit(where + what, is, {}); };

  std::vector<Column> missing;
  std::string names;
  std::string renamed;
  for (const Column& column : is.columns) {
    if (find(columns, column.name) != nullptr) continue;
    names += (missing.empty() ? " " : ", ") + pg::quote_identifier(column.name);
    const std::string former = former_name(column, is, was, columns);
    if (!former.empty())
      renamed = "if it was renamed from " + pg::quote_identifier(former) + ": " +
                alter("RENAME COLUMN " + pg::quote_identifier(former) + " TO " + pg::quote_identifier(column.name)) +
                "; if it is new: ";
    missing.push_back(column);
  }
  if (!missing.empty())
    throw Misfit(where + "has no column" + names + "; " + renamed + joined(add_columns(is, missing)), is, missing,
                 !renamed.empty());

  for (const Column& column : is.columns)
    if (find(columns, column.name)->generated)
      refuse("generates the column " + column.name + ", which the primary stores; make it an ordinary one");
  const ShapeChange change = was ? change_of(*was, is) : ShapeChange();
  if (follows) {
    for (const Column& column : change.dropped)
      if (const StandbyColumn* const there = find(columns, column.name); there != nullptr && !there->generated)
        refuse("still has the column " + column.name + ", which the primary's has no more; " +
               alter("DROP COLUMN " + pg::quote_identifier(column.name)));
    for (const Column& column : change.retyped)
      if (const StandbyColumn* const there = find(columns, column.name); there->type != column.type)
        refuse("has the column " + column.name + " as " + there->type + ", which is " + column.type +
               " on the primary now; " +
               alter("ALTER COLUMN " + pg::quote_identifier(column.name) + " TYPE " + column.type + " USING " +
                     pg::quote_identifier(column.name) + "::" + column.type));
    check_declared(is, was, columns, refuse, alter);
  }
  for (const StandbyColumn& column : columns)
    if (column.needed && !column.generated && !has(is.columns, column.name))
      refuse("has the column " + column.name + " of its own, which needs a value; " +
             alter("ALTER COLUMN " + pg::quote_identifier(column.name) + " SET DEFAULT one") + ", or drop it");
}

// Rows that are there get what the primary's rows show, which need not be today's default.
std::vector<std::string> add_columns(const change::Relation& relation, const std::vector<Column>& columns) {
  const std::string alter = "ALTER TABLE " + pg::quote_table(relation.table) + " ";
  std::vector<std::string> out{alter};
  for (const Column& column : columns) {
    const bool may_be_null = column.definition.find(" NOT NULL") == std::string::npos;
    const std::string& value = column.missing.empty() && !may_be_null ? column.default_value : column.missing;
    out[0] += (out[0] == alter ? "" : ", ") + ("ADD COLUMN " + pg::quote_identifier(column.name)) + " " +
              (column.definition.empty() ? column.type : column.definition) +
              (value.empty() ? "" : " DEFAULT " + value);
    if (value == column.default_value || is_constant(column.default_value, value)) continue;
    out.push_back(alter + "ALTER COLUMN " + pg::quote_identifier(column.name) +
                  (column.default_value.empty() ? " DROP DEFAULT" : " SET DEFAULT " + column.default_value));
  }
  return out;
}

}  // namespace apply
