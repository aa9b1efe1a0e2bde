// Writes prepared pieces to the standby: the folded form set by set, or operation by operation in the primary's order.
// Owns the set-based statements; begins and commits nothing. One session, one thread.
#pragma once

#include <cstdint>
#include <span>

#include "apply/at_commit.hpp"
#include "apply/deferred.hpp"
#include "apply/in_order.hpp"
#include "apply/incidents.hpp"
#include "apply/one_by_one.hpp"
#include "apply/prepared.hpp"
#include "apply/target.hpp"
#include "pg/session.hpp"

namespace apply {

class Writer {
 public:
  Writer(pg::Session& session, Incidents& incidents)
      : session_(session),
        targets_(session, &incidents.tables, incidents.settings.schema_drift != config::SchemaDrift::common_columns),
        incidents_(incidents),
        in_order_(session, targets_, incidents),
        one_by_one_(session, targets_, incidents),
        deferred_(session, targets_, incidents),
        at_commit_(session, targets_, in_order_, deferred_, incidents) {}

  // Inside a transaction. Throws pg::SqlError when rows are refused (pg::is_refusal_of_rows), and Unfit where they are
  // not as expected: a folded piece may still pass in order, and there the operation is named.
  // Returns whether it was written folded.
  bool write(const Prepared& prepared);
  void forget_addresses() { targets_.forget_addresses(); }
  // The same in two steps: what may go ahead, and the rest once the batch before it is committed.
  void write_ahead(const Parts& parts);
  void write_after(const Parts& parts);
  // Whether another session may write other rows of the same tables meanwhile: nothing fires or is checked that would
  // see the order. Throws Unfit.
  bool may_overlap(const Prepared& prepared);
  // Whether a folded batch may be begun before the one before it is committed. Throws Unfit.
  bool may_go_ahead(const Prepared& prepared);

  // Whether a piece may be written folded: a changed key is delete and insert then, on which foreign keys act without
  // replica role, and which the standby's own columns would not survive; and tables that do not fold come after all
  // others, where what foreign keys do for their deletes would be done to rows that came later. Throws Unfit.
  bool can_fold(const Prepared& prepared);

 private:
  // A folded run in three steps. Its rows in the staging tables are of statements from `group` on.
  void check(const Fold& fold);
  void stage(const Fold& fold, uint32_t group);
  void run(const Fold& fold, uint32_t group);
  // At the end of a batch: what it left two of, against a DEFERRABLE constraint, is found, and the standby's rows give
  // way where the policy says so.
  void keep_deferred(std::span<const Operation* const> operations, bool folded);
  void run_deletes(TargetTable& table, const TableEffect& effect, uint32_t group);
  void run_updates(TargetTable& table, const TableEffect& effect, uint32_t first_group);
  [[noreturn]] void unexpected(const TargetTable& table, uint64_t expected, uint64_t met) const;

  pg::Session& session_;
  Targets targets_;
  Incidents& incidents_;
  InOrder in_order_;
  OneByOne one_by_one_;
  Deferred deferred_;
  AtCommit at_commit_;
};

}  // namespace apply
