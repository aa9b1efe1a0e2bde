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
  for (const uint16_t i : table.match) {
    size_t in_key = 0;
    while (operation.relation->key[in_key] != i) ++in_key;
    values.push_back(parameter(operation.key[in_key]));
    const std::string place = "$" + std::to_string(values.size());
    condition += condition.empty() ? "" : " AND ";
    condition += table.match_is_unique
                     ? table.columns[i] + " = " + place
                     : table.columns[i] + "::text IS NOT DISTINCT FROM " + place + "::" + table.types[i] + "::text";
  }
  if (table.match_is_unique) return condition;
  const std::string row = table.partitioned ? "(tableoid, ctid)" : "ctid";
  return row + " = (SELECT " + (table.partitioned ? "tableoid, ctid" : "ctid") + " FROM " + table.name + " WHERE " +
         condition + " LIMIT 1)";
}

// Where the row is there already it becomes what is inserted, and the statement returns true (false when it was made;
// a partitioned table can't tell).
std::string insert_sql(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  std::string places;
  std::string set;
  std::string unchanged;  // as in update_sql
  for (size_t i = 0; i < operation.row.size(); ++i) {
    values.push_back(parameter(operation.row[i]));
    places += (places.empty() ? "$" : ", $") + std::to_string(values.size());
    if (std::find(table.match.begin(), table.match.end(), static_cast<uint16_t>(i)) != table.match.end()) continue;
    if (table.always[i])
      unchanged += (unchanged.empty() ? " WHERE t." : " AND t.") + table.columns[i] + " = excluded." + table.columns[i];
    else
      set += (set.empty() ? "" : ", ") + table.columns[i] + " = excluded." + table.columns[i];
  }
  std::string sql = "INSERT INTO " + table.name + " AS t (" + column_list(table) +
                    ") OVERRIDING SYSTEM VALUE VALUES (" + places + ")";
  if (table.match.empty() || !table.match_is_unique) return sql;
  std::string key;
  for (const uint16_t m : table.match) key += (key.empty() ? "" : ", ") + table.columns[m];
  if (set.empty() && unchanged.empty()) return sql + " ON CONFLICT (" + key + ") DO NOTHING";
  if (set.empty()) set = table.columns[table.match[0]] + " = excluded." + table.columns[table.match[0]];
  return sql + " ON CONFLICT (" + key + ") DO UPDATE SET " + set + unchanged +
         (table.partitioned ? "" : " RETURNING t.xmax <> 0");
}

std::string update_sql(const Operation& operation, const TargetTable& table, std::vector<pg::Parameter>& values) {
  std::string set;
  std::string unchanged;  // an identity that no UPDATE may set; a row with another one is not the row that is meant
  for (size_t i = 0; i < operation.row.size(); ++i) {
    if (operation.row[i].kind == ValueKind::absent) continue;
    values.push_back(parameter(operation.row[i]));
    const std::string equals = table.columns[i] + " = $" + std::to_string(values.size());
    if (table.always[i])
      unchanged += " AND " + equals;
    else
      set += (set.empty() ? "" : ", ") + equals;
  }
  if (set.empty()) set = table.columns[table.match[0]] + " = " + table.columns[table.match[0]];
  return "UPDATE " + table.name + " SET " + set + " WHERE " + row_of(operation, table, values) + unchanged;
}

}  // namespace

const std::string& Writer::statement_for(const Operation& operation, TargetTable& table,
                                         std::vector<pg::Parameter>& values) {
  values.clear();
  std::string sql;
  if (operation.type == EventType::remove) {
    sql = "DELETE FROM " + table.name + " WHERE " + row_of(operation, table, values);
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
                         refused.sqlstate(), refused.reason());
    }
    for (size_t i = start; i < end; ++i) {
      const Operation& operation = *operations[i];
      const pg::Touched& did = touched[i - start];
      if (did.rows == 1) {
        conflicts_.insert_present += operation.type == EventType::insert && did.returned == true;
        conflicts_.update_missing += operation.type == EventType::update && did.returned == false;
        continue;
      }
      // An insert into a table of nothing but its key has nothing to change in a row that is there.
      if (operation.type == EventType::insert && operation.row.size() == operation.key.size()) continue;
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
