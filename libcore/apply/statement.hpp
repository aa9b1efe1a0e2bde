// One operation as one SQL statement, with its values as parameters: what the folded form is not for. Pure; knows the
// standby's table, but no connection. The values point into the operation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apply/piece.hpp"
#include "apply/target.hpp"
#include "pg/session.hpp"

namespace apply {

struct Statement {
  std::string sql;
  std::vector<pg::Parameter> values;
};

// What it is on the primary: one row made, changed or deleted. An update sets no identity that is ALWAYS, and meets
// only a row that has its value; with `newest` (a column) only one whose value there is not later than the update's.
Statement statement_of(const Operation& operation, const TargetTable& table, std::optional<size_t> newest = {});

// The row that its key names; of rows alike any one. SELECT gives it as JSON, and whether it is later by `newest`.
Statement select_row(const Operation& operation, const TargetTable& table, std::optional<size_t> newest);
Statement delete_row(const Operation& operation, const TargetTable& table);
Statement insert_row(const Operation& operation, const TargetTable& table);  // what an update carries, too
Statement remake_row(const Operation& operation, const TargetTable& table);  // deletes it, and makes it what it becomes
// The other rows that have the values which the index keeps single; SELECT as above.
Statement select_rivals(const Operation& operation, const TargetTable& table, const UniqueIndex& index,
                        std::optional<size_t> newest);
Statement delete_rivals(const Operation& operation, const TargetTable& table, const UniqueIndex& index);
// The operation's own row, as select_row(), if it has in the index what the operation brings.
Statement select_if_it_has(const Operation& operation, const TargetTable& table, const UniqueIndex& index);

bool is_whole(const Operation& operation);  // carries every column, so that the row can be made
// Is an update that gives the row another key, as the standby's table tells rows apart.
bool moves_key(const Operation& operation, const TargetTable& table);

}  // namespace apply
