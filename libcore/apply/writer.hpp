// Writes prepared pieces to the standby: the folded form set by set, or operation by operation in the primary's order.
// Owns the statements and the counts of what they touched; begins and commits nothing. One session, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "apply/prepared.hpp"
#include "apply/target.hpp"
#include "pg/session.hpp"

namespace apply {

// What the standby had otherwise than the primary's changes expect; under primary_wins the primary's row stands.
struct Conflicts {
  uint64_t insert_present = 0;  // an insert's key was there: overwritten
  uint64_t update_missing = 0;  // an update's row was not there: made anew
  uint64_t delete_missing = 0;  // a delete's row was not there
  Conflicts operator+(const Conflicts& other) const {
    return {insert_present + other.insert_present, update_missing + other.update_missing,
            delete_missing + other.delete_missing};
  }
};

class Writer {
 public:
  explicit Writer(pg::Session& session) : session_(session), targets_(session) {}

  // Inside a transaction. Throws pg::SqlError when rows are refused (pg::is_refusal_of_rows), and Unfit: a folded
  // piece may still pass in order, and there the operation is named.
  void write(const Prepared& prepared);
  // The same in two steps: what may go ahead, and the rest once the batch before it is committed.
  void write_ahead(const Parts& parts);
  void write_after(const Parts& parts);
  // Whether another session may write other rows of the same tables meanwhile: nothing fires or is checked that would
  // see the order. Throws Unfit.
  bool may_overlap(const Prepared& prepared);

  // Whether a piece may be written folded: a changed key is delete and insert then, on which foreign keys act without
  // replica role, and which the standby's own columns would not survive. Throws Unfit.
  bool can_fold(const Prepared& prepared);

  // Counted since the last call.
  Conflicts take_conflicts() { return std::exchange(conflicts_, {}); }

 private:
  // A folded run in three steps. Its rows in the staging tables are of statements from `group` on.
  void check(const Fold& fold);
  void stage(const Fold& fold, uint32_t group);
  void run(const Fold& fold, uint32_t group);
  void run_deletes(TargetTable& table, const TableEffect& effect, uint32_t group);
  void run_updates(TargetTable& table, const TableEffect& effect, uint32_t first_group);
  void truncate(const Truncate& what);

  // In the primary's order.
  void write_in_order(const std::vector<const Operation*>& operations);
  const std::string& statement_for(const Operation& operation, TargetTable& table, std::vector<pg::Parameter>& values);

  pg::Session& session_;
  Targets targets_;
  Conflicts conflicts_;
  std::map<std::string, std::string> statements_;  // SQL to the name it is prepared under
};

}  // namespace apply
