#include "apply/one_by_one.hpp"

#include <algorithm>
#include <utility>

#include "apply/enum_labels.hpp"
#include "apply/misfit.hpp"
#include "base/error.hpp"
#include "pg/error.hpp"

namespace apply {
namespace {

using change::EventType;
using config::ConflictResolution;

// What another row holds: a unique value, or what an exclusion constraint keeps for one row (manual, appendix A).
bool is_taken(const pg::SqlError& refused) { return refused.sqlstate() == "23505" || refused.sqlstate() == "23P01"; }

// An operation as it is held. Under REPLICA IDENTITY FULL it names its row by all that was in it; where the standby's
// table tells rows apart by less, that is what a later change of the row, or who mends it, has in common with it.
class Held {
 public:
  Held(const Operation& operation, const TargetTable& table) : operation_(operation), relation_(*operation.relation) {
    if (relation_.identity != change::Identity::full || !table.match_is_unique ||
        operation.key.size() != relation_.key.size())
      return;
    relation_.identity = change::Identity::index;
    relation_.key = table.match;
    for (const uint16_t column : table.match) key_.push_back(operation.key[column]);  // all columns, in their order
    operation_.relation = &relation_;
    operation_.key = key_;
  }
  const Operation& operation() const { return operation_; }

 private:
  Operation operation_;
  change::Relation relation_;
  std::vector<change::Value> key_;
};

}  // namespace

bool OneByOne::write(const Operation& operation) {
  const std::string first = incidents_.quarantine.held(operation);
  if (!first.empty()) return behind_held(operation, first);
  const std::optional<pg::SqlError> refused = attempt(operation);
  if (refused) hold(operation, *refused);
  return !refused;
}

// The row may have been deleted, or made, by hand since it was held: then the policy decides, as it does for any other.
std::string OneByOne::retry(const Operation& operation) {
  const TargetTable& table = targets_.of(*operation.relation);
  if (operation.type == EventType::update && !is_whole(operation) &&
      incidents_.policy != ConflictResolution::standby_wins && !find(select_row(operation, table, {}), false).any)
    return "the row is not there, and the change does not carry every value of it";
  std::optional<pg::SqlError> refused = attempt(operation);
  if (!refused) refused = settle(operation);
  return refused ? refused->reason() : "";
}

// Rows may give way for an operation that is refused all the same: then nothing of it may stay, nor be told.
std::optional<pg::SqlError> OneByOne::attempt(const Operation& operation) {
  TargetTable& table = targets_.of(*operation.relation);
  told_.clear();
  session_.query("SAVEPOINT pgtandem_operation");
  try {
    meet(operation, table);
  } catch (const pg::SqlError& refused) {
    if (!pg::is_refusal_of_rows(refused)) throw refused.saying(named(operation) + refused.what());
    session_.query("ROLLBACK TO SAVEPOINT pgtandem_operation; RELEASE SAVEPOINT pgtandem_operation");
    return refused;
  }
  session_.query("RELEASE SAVEPOINT pgtandem_operation");
  tell(operation);
  return {};
}

void OneByOne::tell(const Operation& operation) {
  for (const Told& told : told_) incidents_.conflict(told.kind, operation, told.outcome, told.present);
}

void OneByOne::meet(const Operation& operation, TargetTable& table) {
  try {
    const uint64_t met = run(statement_of(operation, table, incidents_.newest_of(*operation.relation)));
    if (met == 0) row_missing(operation, table);
  } catch (const pg::SqlError& refused) {
    if (!is_taken(refused)) throw;
    insert_conflict(operation, table, refused);
  }
}

// In a savepoint, so that a refusal leaves the transaction as it was.
pg::Result OneByOne::guarded(const Statement& statement) {
  session_.query("SAVEPOINT pgtandem_one");
  try {
    pg::Result result = session_.query(statement.sql, statement.values);
    session_.query("RELEASE SAVEPOINT pgtandem_one");
    return result;
  } catch (const pg::SqlError&) {
    session_.query("ROLLBACK TO SAVEPOINT pgtandem_one; RELEASE SAVEPOINT pgtandem_one");
    throw;
  }
}

OneByOne::Found OneByOne::find(const Statement& statement, bool several) {
  const pg::Result rows = guarded(statement);
  Found out;
  out.any = rows.rows() > 0;
  for (int i = 0; i < rows.rows(); ++i) {
    out.later = out.later || rows.get(i, 1) == "t";
    out.rows += (i == 0 ? "" : ",") + std::string(rows.get(i, 0));
  }
  if (several && out.any) out.rows = "[" + out.rows + "]";
  return out;
}

void OneByOne::conflict(Conflict kind, const Operation& operation, const std::string& outcome,
                        const std::string& present) {
  if (incidents_.policy == ConflictResolution::stop)
    throw Unfit(
        named(operation) + "conflict " + std::string(name_of(kind)) + " on " + session_.node() +
        ", and conflict_resolution is stop; make the standby's rows as the primary had them, or choose another");
  told_.push_back({kind, outcome, present});
}

// A key, or another unique value, that is there already.
void OneByOne::insert_conflict(const Operation& operation, TargetTable& table, const pg::SqlError& refused) {
  const std::optional<size_t> newest = incidents_.newest_of(*operation.relation);
  if (operation.type == EventType::insert && !table.match.empty() && table.match_is_unique) {
    const Found there = find(select_row(operation, table, newest), false);
    if (there.any) {
      if (incidents_.policy == ConflictResolution::standby_wins || there.later)
        return conflict(Conflict::insert_exists, operation, "the standby's row stays", there.rows);
      conflict(Conflict::insert_exists, operation, "the primary's row is written over it", there.rows);
      return overwrite(operation, table);
    }
  }
  switch (make_room(operation, table)) {
    case Room::none:
      throw pg::SqlError(refused);
    case Room::refused:
      return;
    case Room::made:
      if (run(statement_of(operation, table)) == 0) row_missing(operation, table);
  }
}

// The rows of others that hold what the operation brings, index by index.
struct OneByOne::Rivals {
  const UniqueIndex* index;
  Found found;
  bool stay;  // by the policy
};
std::vector<OneByOne::Rivals> OneByOne::rivals_of(const Operation& operation, TargetTable& table, bool deferrable) {
  const std::optional<size_t> newest = incidents_.newest_of(*operation.relation);
  std::vector<Rivals> all;
  for (const UniqueIndex& index : targets_.unique_indexes(table)) {
    if (deferrable && !index.deferrable) continue;
    try {
      if (deferrable && !find(select_if_it_has(operation, table, index), false).any) continue;
      Found rivals = find(select_rivals(operation, table, index, newest), true);
      const bool stay = incidents_.policy == ConflictResolution::standby_wins || rivals.later;
      if (rivals.any) all.push_back({&index, std::move(rivals), stay});
    } catch (const pg::SqlError& unknown) {
      if (unknown.sqlstate() != "42703") throw;  // it speaks of a column that the change does not carry
    }
  }
  return all;
}

void OneByOne::remove(const Operation& operation, const TargetTable& table, const std::vector<Rivals>& all) {
  for (const Rivals& rivals : all) {
    conflict(Conflict::unique_taken, operation, "the standby's rows are removed", rivals.found.rows);
    incidents_.mark(operation,
                    "rows that held a unique value were removed: whether the primary has them is to be looked up");
    run(delete_rivals(operation, table, *rivals.index));
  }
}

// Rows of others that hold a unique value give way, if the policy says so.
OneByOne::Room OneByOne::make_room(const Operation& operation, TargetTable& table) {
  const std::vector<Rivals> all = rivals_of(operation, table, false);
  for (const Rivals& rivals : all) {
    if (!rivals.stay) continue;
    conflict(Conflict::unique_taken, operation, "the standby's rows stay, and the primary's change is left out",
             rivals.found.rows);
    incidents_.mark(operation, "a change was left out, because other rows hold its unique values");
    return Room::refused;
  }
  remove(operation, table, all);
  return all.empty() ? Room::none : Room::made;
}

std::optional<RefusedAtEnd> OneByOne::settle(const Operation& operation) {
  TargetTable& table = targets_.of(*operation.relation);
  if (!table.defers || operation.row.empty() || table.match.empty()) return {};
  Operation written = operation;  // its row is found by the key that it has now
  std::vector<change::Value> key;
  for (const uint16_t column : operation.relation->key) key.push_back(operation.row[column]);
  for (size_t i = 0; i < operation.key.size(); ++i)
    if (key[i].kind == change::ValueKind::absent) key[i] = operation.key[i];
  written.key = key;
  const std::vector<Rivals> all = rivals_of(written, table, true);
  for (const Rivals& rivals : all)
    if (rivals.stay) return RefusedAtEnd(named(operation), *rivals.index);
  told_.clear();
  try {
    remove(written, table, all);
  } catch (const pg::SqlError& refused) {  // they are needed by others
    if (!pg::is_refusal_of_rows(refused)) throw;
    return RefusedAtEnd(named(operation), *all.front().index);
  }
  tell(operation);
  return {};
}

// Does `what`, and again when other rows have made room for it.
void OneByOne::with_room(const Operation& operation, TargetTable& table, const std::function<void()>& what) {
  try {
    what();
  } catch (const pg::SqlError& refused) {
    if (!is_taken(refused)) throw;
    const Room room = make_room(operation, table);
    if (room == Room::none) throw;
    if (room == Room::made) what();
  }
}

// The row is there, and becomes what the operation carries.
void OneByOne::overwrite(const Operation& operation, TargetTable& table) {
  Operation update = operation;
  update.type = EventType::update;
  force(update, table);
}

// An update of a row that is there: where it meets none, an ALWAYS identity differs, which only a new row can have.
void OneByOne::force(const Operation& operation, TargetTable& table) {
  with_room(operation, table, [&] {
    const bool has_identity = std::find(table.always.begin(), table.always.end(), true) != table.always.end();
    if (run(statement_of(operation, table)) == 0 && has_identity) run(remake_row(operation, table));
  });
}

// No row was met.
void OneByOne::row_missing(const Operation& operation, TargetTable& table) {
  if (operation.type == EventType::insert)
    return incidents_.mark(operation, "a trigger or a rule of the standby kept a row out");
  if (operation.type == EventType::remove)
    return conflict(Conflict::delete_missing, operation, "nothing to delete", {});
  const std::optional<size_t> newest = incidents_.newest_of(*operation.relation);
  const Found there = find(select_row(operation, table, newest), false);
  if (there.any && there.later)
    return conflict(Conflict::update_newer, operation, "the standby's row stays", there.rows);
  if (there.any) return force(operation, table);
  if (!there.any && incidents_.policy == ConflictResolution::standby_wins)
    return conflict(Conflict::update_missing, operation, "the row stays away", {});
  if (is_whole(operation)) {
    conflict(Conflict::update_missing, operation, "the row is made anew", {});
    with_room(operation, table, [&] { run(insert_row(operation, table)); });
    return;
  }
  // What it does not carry only the primary has; NULL would be a lie.
  if (!incidents_.quarantine.enabled())
    throw Unfit(named(operation) + session_.node() +
                " lacks the row, and the change does not carry every value of it; " + "copy the row from the primary");
  conflict(Conflict::update_missing, operation, "the row stays away until the next full pass", {});
  incidents_.mark(operation, "a row is missing, and its update did not carry every value");
}

// A change of a row that is held. One that brings all of it makes the row right again; any other waits behind.
bool OneByOne::behind_held(const Operation& operation, const std::string& first) {
  const TargetTable& table = targets_.of(*operation.relation);
  if (table.match_is_unique && !incidents_.quarantine.moved(operation) && !moves_key(operation, table) &&
      (operation.type == EventType::remove || is_whole(operation)) && put(operation)) {
    incidents_.quarantine.supersede(operation);
    return true;
  }
  wait(operation, first);
  return false;
}

void OneByOne::wait(const Operation& operation, const std::string& first) {
  incidents_.hold(Held(operation, targets_.of(*operation.relation)).operation(), "",
                  "waits for operation " + first + " on the same row", {});
}

// Makes the row what the operation says, whatever is there. False where it is refused.
bool OneByOne::put(const Operation& operation) {
  TargetTable& table = targets_.of(*operation.relation);
  try {
    if (operation.type == EventType::remove) {
      run(delete_row(operation, table));
      return true;
    }
    Operation update = operation;
    update.type = EventType::update;
    if (run(statement_of(update, table)) == 0) run(insert_row(operation, table));
    return true;
  } catch (const pg::SqlError& refused) {
    if (!pg::is_refusal_of_rows(refused)) throw;
    return false;
  }
}

// What would make the standby take the operation, for the end of a message; empty where that is not known.
std::string OneByOne::advice(const Operation& operation, const pg::SqlError& refused) {
  if (refused.sqlstate() != unknown_label) return {};
  const std::optional<MissingLabel> missing = missing_label(session_, operation);
  if (!missing) return {};
  const std::string mend = "; " + missing->statement() + " (BEFORE or AFTER another one, as on the primary)";
  if (incidents_.quarantine.enabled() && incidents_.follows_shapes())
    throw Misfit(session_.node() + ": table " + operation.relation->text + " cannot take the label " + missing->label +
                     " of operation " + id_of(operation) + ", for its enum " + missing->type + " lacks it" + mend,
                 *operation.relation, {})
        .by_a_change();
  return mend;
}

// For what is in it. Where nothing may be held, or left out, it stops apply.
void OneByOne::hold(const Operation& operation, const pg::SqlError& refused) {
  const std::string mend = advice(operation, refused);
  if (incidents_.leaves_out) return incidents_.leave_out(operation, refused.reason() + mend);
  if (!incidents_.quarantine.enabled()) throw refused.saying(named(operation) + refused.what() + mend);
  const TargetTable& table = targets_.of(*operation.relation);
  std::string present;
  if (!table.match.empty() && operation.key.size() == operation.relation->key.size()) try {
      present = find(select_row(operation, table, {}), false).rows;
    } catch (const pg::SqlError& again) {  // the key itself is what the standby's type can't take
      if (!pg::is_refusal_of_rows(again)) throw;
    }
  incidents_.hold(Held(operation, table).operation(), refused.sqlstate(), refused.reason() + mend, present);
}

}  // namespace apply
