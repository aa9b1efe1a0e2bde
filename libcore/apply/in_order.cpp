// The second half of Writer: each operation by a statement of its own, in the order in which the primary made it. What
// was legal there, row by row or deferred to the commit, is legal here.
#include <algorithm>

#include "apply/writer.hpp"
#include "base/error.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

using change::EventType;
using change::Value;
using change::ValueKind;

// Statements in flight at once: answers of so many fit the socket's buffers, so neither side waits for the other.
constexpr size_t in_flight = 200;

pg::Parameter parameter(const Value& value) {
  if (value.kind != ValueKind::text) return std::nullopt;
  return value.text();
}

bool whole(const Operation& operation) {
  for (const Value& value : operation.row)
    if (value.kind == ValueKind::absent) return false;
  return true;
}

bool moves_key(const Operation& operation) {
  for (size_t i = 0; i < operation.key.size(); ++i) {
    const Value& now = operation.row[operation.relation->key[i]];
    if (now.kind != ValueKind::absent && (now.kind != operation.key[i].kind || now.text() != operation.key[i].text()))
      return true;
  }
  return false;
}

// The row that an operation's key names. Where only all columns together name it, their text must be equal (json and
// others know no other equality; what a cast to text makes of a bool or a char(n) is not what the stream says, so both
// sides take that way), and of several rows alike any one is meant.
std::string row_of(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  std::string condition;
  for (size_t m = 0; m < table.match.size(); ++m) {
    const uint16_t i = table.match[m];
    size_t in_key = 0;
    while (operation.relation->key[in_key] != i) ++in_key;
    values.push_back(parameter(operation.key[in_key]));
    const std::string place = "$" + std::to_string(values.size());
    condition += condition.empty() ? "" : " AND ";
    condition += table.match_is_unique
                     ? table.columns[i] + " " + table.equals[m] + " " + place + "::" + table.types[i]
                     : table.columns[i] + "::text IS NOT DISTINCT FROM " + place + "::" + table.types[i] + "::text";
  }
  if (table.match_is_unique) return condition;
  if (condition.empty()) condition = "true";
  const std::string row = table.partitioned ? "(tableoid, ctid)" : "ctid";
  return row + " = (SELECT " + (table.partitioned ? "tableoid, ctid" : "ctid") + " FROM " + table.rows + " WHERE " +
         condition + " LIMIT 1)";
}

// " AND column <> $n" for the identity that no UPDATE may set, where the key does not have it; empty where there is
// none.
std::string other_identity(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  for (size_t i = 0; i < operation.row.size(); ++i) {
    if (!table.always[i] || operation.row[i].kind == ValueKind::absent) continue;
    if (std::find(table.match.begin(), table.match.end(), static_cast<uint16_t>(i)) != table.match.end()) continue;
    values.push_back(parameter(operation.row[i]));
    return " AND " + table.columns[i] + " <> $" + std::to_string(values.size());
  }
  return {};
}

// "INSERT INTO … SELECT …": the row as it is sent, and what was not sent from `old`, the row that it was.
std::string insert_select(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  std::string row;
  for (size_t i = 0; i < operation.row.size(); ++i) {
    row += row.empty() ? "" : ", ";
    if (operation.row[i].kind == ValueKind::absent) {
      row += "old." + table.columns[i];
      continue;
    }
    values.push_back(parameter(operation.row[i]));
    row += "$" + std::to_string(values.size()) + "::" + table.types[i];
  }
  return "INSERT INTO " + table.name + " AS t (" + column_list(table) + ") OVERRIDING SYSTEM VALUE SELECT " + row;
}

// Where the row is there already it becomes what is inserted, and the statement returns true (false when it was made).
// A row of another identity goes first: no UPDATE may set that.
std::string insert_sql(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  if (table.columns.empty()) return "INSERT INTO " + table.name + " DEFAULT VALUES";
  std::string key;
  std::string was_there;
  if (table.match_is_unique)
    for (size_t m = 0; m < table.match.size(); ++m) {
      const std::string& column = table.columns[table.match[m]];
      key += (key.empty() ? "" : ", ") + column;
      was_there += (m == 0 ? "" : " AND ") + ("b." + column) + " " + table.equals[m] + " t." + column;
    }
  std::string gone;
  if (!key.empty() && std::find(table.always.begin(), table.always.end(), true) != table.always.end()) {
    const std::string row = row_of(operation, table, values);
    const std::string other = other_identity(operation, table, values);
    if (other.empty())
      values.clear();
    else
      gone = "WITH old AS (DELETE FROM " + table.rows + " WHERE " + row + other + " RETURNING 1) ";
  }
  std::string set;
  for (size_t i = 0; i < operation.row.size(); ++i)
    if (!table.always[i] &&
        std::find(table.match.begin(), table.match.end(), static_cast<uint16_t>(i)) == table.match.end())
      set += (set.empty() ? "" : ", ") + table.columns[i] + " = excluded." + table.columns[i];
  std::string sql = gone + insert_select(operation, table, values);
  if (key.empty()) return sql;
  // Asked, so that it is done before.
  if (!gone.empty()) sql += " WHERE (SELECT count(*) FROM old) < 2";
  if (set.empty() && gone.empty()) return sql + " ON CONFLICT (" + key + ") DO NOTHING";
  if (set.empty()) set = set_nothing(table);
  // A partitioned table has no xmax to ask; the statement's snapshot is from before it.
  return sql + " ON CONFLICT (" + key + ") DO UPDATE SET " + set + " RETURNING " +
         (table.partitioned ? "EXISTS (SELECT FROM " + table.name + " AS b WHERE " + was_there + ")" : "t.xmax <> 0") +
         (gone.empty() ? "" : " OR EXISTS (SELECT FROM old)");
}

// Deletes the row and makes it anew, for an identity that no UPDATE may set.
std::string remake_sql(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  const std::string row = row_of(operation, table, values);
  return "WITH old AS (DELETE FROM " + table.rows + " WHERE " + row + " RETURNING *) " +
         insert_select(operation, table, values) + " FROM old";
}

// Whether the identity that no UPDATE may set is in the key and changes.
bool moves_identity(const Operation& operation, const TargetTable& table) {
  for (size_t i = 0; i < operation.key.size(); ++i) {
    const uint16_t column = operation.relation->key[i];
    if (table.always[column] && operation.row[column].kind != ValueKind::absent &&
        operation.row[column].text() != operation.key[i].text())
      return true;
  }
  return false;
}

std::string update_sql(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  if (moves_identity(operation, table)) return remake_sql(operation, table, values);
  std::string set;
  for (size_t i = 0; i < operation.row.size(); ++i) {
    if (operation.row[i].kind == ValueKind::absent || table.always[i]) continue;
    values.push_back(parameter(operation.row[i]));
    set += (set.empty() ? "" : ", ") + table.columns[i] + " = $" + std::to_string(values.size());
  }
  if (set.empty()) set = set_nothing(table);
  const std::string update = "UPDATE " + table.rows + " AS t SET " + set + " WHERE " + row_of(operation, table, values);
  const bool in_key = operation.relation->identity == change::Identity::full;
  const std::string other = in_key ? "" : other_identity(operation, table, values);
  if (other.empty()) return update;
  // Only the row that is there knows whether its identity changes: one of the two finds it.
  const std::string same = std::string(other).replace(other.rfind("<>"), 2, "=");
  const std::string row = row_of(operation, table, values);
  const std::string made = insert_select(operation, table, values);
  return "WITH old AS (DELETE FROM " + table.rows + " WHERE " + row + other + " RETURNING *), made AS (" + made +
         " FROM old RETURNING 1), kept AS (" + update + same +
         " RETURNING 1) SELECT true FROM made UNION ALL SELECT true FROM kept";
}

}  // namespace

const std::string& Writer::statement_for(const Operation& operation, TargetTable& table,
                                         std::vector<pg::Parameter>& values) {
  values.clear();
  std::string sql;
  if (operation.type == EventType::remove) {
    sql = "DELETE FROM " + table.rows + " WHERE " + row_of(operation, table, values);
  } else if (operation.type == EventType::insert ||
             (table.match_is_unique && whole(operation) && !moves_key(operation))) {
    sql = insert_sql(operation, table, values);  // also makes the row that an update should have met
  } else {
    sql = update_sql(operation, table, values);
  }
  const auto [found, is_new] = statements_.try_emplace(sql, "");
  if (is_new) found->second = "pgtandem_" + std::to_string(statements_.size());
  return found->first;
}

void Writer::write_in_order(const std::vector<const Operation*>& operations) {
  std::vector<pg::Parameter> values;
  for (size_t start = 0; start < operations.size(); start += in_flight) {
    const size_t end = std::min(operations.size(), start + in_flight);
    // Statements are prepared before the pipeline opens: preparing waits for an answer.
    std::vector<std::string> names;
    for (size_t i = start; i < end; ++i) {
      const size_t known = statements_.size();
      const std::string& sql = statement_for(*operations[i], targets_.of(*operations[i]->relation), values);
      const std::string& name = statements_.at(sql);
      if (statements_.size() > known) session_.prepare(name, sql);
      names.push_back(name);
    }
    size_t failed_at = 0;
    std::vector<pg::Touched> touched;
    try {
      session_.pipe_begin();
      for (size_t i = start; i < end; ++i) {
        statement_for(*operations[i], targets_.of(*operations[i]->relation), values);
        session_.pipe(names[i - start], values);
      }
      touched = session_.pipe_end(failed_at);
    } catch (const pg::SqlError& refused) {
      const Operation& operation = *operations[start + failed_at];
      throw pg::SqlError(refused.kind(),
                         "operation " + id_of(operation) + " on " + operation.relation->text + ": " + refused.what(),
                         refused.sqlstate());
    }
    for (size_t i = start; i < end; ++i) {
      const Operation& operation = *operations[i];
      const pg::Touched& did = touched[i - start];
      if (did.rows == 1) {
        conflicts_.insert_present += operation.type == EventType::insert && did.returned == true;
        conflicts_.update_missing += operation.type == EventType::update && did.returned == false;
        continue;
      }
      // In a table of nothing but its key there is nothing to change in a row that is there.
      const TargetTable& table = targets_.of(*operation.relation);
      if (operation.type != EventType::remove && table.match_is_unique && operation.row.size() == table.match.size() &&
          !moves_key(operation))
        continue;
      if (operation.type == EventType::remove && did.rows == 0) {
        ++conflicts_.delete_missing;
        continue;
      }
      throw Unfit("operation " + id_of(operation) + " on " + operation.relation->text + ": " + session_.node() +
                  " has " + std::to_string(did.rows) + " rows for it instead of one; copy the row from the primary");
    }
  }
}

}  // namespace apply
