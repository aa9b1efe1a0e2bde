#include "apply/writer.hpp"

#include <algorithm>

#include "apply/row_copy.hpp"
#include "apply/truncate.hpp"
#include "base/error.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

using change::Value;

constexpr uint32_t after_groups = 1 << 24;  // of Parts::after: a batch has fewer operations, so fewer groups

// "stage" rows of one statement.
std::string of_group(size_t group) { return "s." + pg::quote_identifier(stage_group) + " = " + std::to_string(group); }

}  // namespace

bool Writer::can_fold(const Prepared& prepared) {
  if (!session_.replica_role() && !prepared.fold.in_order.empty()) return false;
  return std::none_of(prepared.fold.tables.begin(), prepared.fold.tables.end(), [this](const TableEffect& effect) {
    return effect.moved_keys && (!session_.replica_role() || targets_.of(*effect.relation).has_own_columns);
  });
}

bool Writer::write(const Prepared& prepared) {
  const Piece& piece = prepared.piece;
  for (const Truncate& what : piece.truncates) truncate(session_, targets_, incidents_, what);
  const bool folded = !piece.in_order && can_fold(prepared);
  std::vector<const Operation*> all;
  for (const Operation& operation : piece.operations) all.push_back(&operation);
  if (!folded) {
    // What the primary's transaction deferred to its commit may be deferred here.
    if (!session_.replica_role()) session_.query("SET CONSTRAINTS ALL DEFERRED");
    if (piece.refused_at_commit) {
      at_commit_.write(all);
      return folded;
    }
    in_order_.write(all);
  } else {
    check(prepared.fold);
    stage(prepared.fold, 0);
    run(prepared.fold, 0);
    // The next piece of the same transaction stages its own rows: these are done with.
    if (!piece.ends_batch)
      for (const TableEffect& effect : prepared.fold.tables)
        if (effect.stages())
          session_.query("DELETE FROM " + targets_.stage(targets_.of(*effect.relation)) + " WHERE " +
                         Deferred::not_noted());
    in_order_.write(prepared.fold.in_order);
  }
  deferred_.note(all);
  if (piece.ends_batch) keep_deferred(all, folded);
  return folded;
}

void Writer::keep_deferred(std::span<const Operation* const> operations, bool folded) {
  const std::optional<RefusedAtEnd> found = deferred_.broken();
  if (!found) return;
  if (folded) throw Unfit(found->what());  // in order each operation is looked at by itself
  for (const Operation* operation : operations) {
    if (incidents_.is_out(*operation)) continue;
    if (const std::optional<RefusedAtEnd> refused = one_by_one_.settle(*operation)) throw RefusedAtEnd(*refused);
  }
  if (const std::optional<RefusedAtEnd> broken = deferred_.broken()) throw RefusedAtEnd(*broken);
}

bool Writer::may_go_ahead(const Prepared& prepared) {
  return can_fold(prepared) &&
         std::none_of(prepared.fold.tables.begin(), prepared.fold.tables.end(),
                      [this](const TableEffect& effect) { return targets_.of(*effect.relation).defers; });
}

bool Writer::may_overlap(const Prepared& prepared) {
  return session_.replica_role() &&
         std::none_of(prepared.fold.tables.begin(), prepared.fold.tables.end(), [this](const TableEffect& effect) {
           const TargetTable& table = targets_.of(*effect.relation);
           return table.partitioned || table.fires;
         });
}

void Writer::write_ahead(const Parts& parts) {
  check(parts.ahead);
  check(parts.after);
  stage(parts.ahead, 0);
  run(parts.ahead, 0);
  stage(parts.after, after_groups);
}

void Writer::write_after(const Parts& parts) { run(parts.after, after_groups); }

void Writer::check(const Fold& fold) {
  for (const TableEffect& effect : fold.tables) {
    targets_.check_types(targets_.of(*effect.relation));
    incidents_.newest_of(*effect.relation);
  }
}

// What deletes and updates name: the rows of the first group are deleted, those of each after it updated alike.
void Writer::stage(const Fold& fold, uint32_t group) {
  for (const TableEffect& effect : fold.tables) {
    if (!effect.stages()) continue;
    TargetTable& table = targets_.of(*effect.relation);
    RowCopy rows(session_, targets_.stage(table), table.forms, true);
    std::vector<Value> keyed(table.columns.size());  // all but the key stay absent
    for (const DeletedRow& row : effect.deletes) {
      for (size_t i = 0; i < row.key.size(); ++i) keyed[effect.relation->key[i]] = row.key[i];
      rows.add(keyed, group);
    }
    for (uint32_t i = 0; i < effect.updates.size(); ++i)
      for (const auto& row : effect.updates[i].rows) rows.add(row, group + i + 1);
    rows.finish();
  }
}

// Deletes from the children up and the rest from the parents down: what a unique value or a foreign key needs is there
// before it is asked for.
void Writer::run(const Fold& fold, uint32_t group) {
  struct Work {
    TargetTable* table;
    const TableEffect* effect;
  };
  std::vector<Work> work;
  for (const TableEffect& effect : fold.tables) work.push_back({&targets_.of(*effect.relation), &effect});
  std::stable_sort(work.begin(), work.end(),
                   [](const Work& a, const Work& b) { return a.table->depth < b.table->depth; });
  for (auto w = work.rbegin(); w != work.rend(); ++w) run_deletes(*w->table, *w->effect, group);
  for (const Work& w : work) {
    run_updates(*w.table, *w.effect, group + 1);
    if (w.effect->inserts.empty()) continue;
    RowCopy rows(session_, w.table->name + " (" + column_list(*w.table) + ")", w.table->forms, false);
    for (const auto& row : w.effect->inserts) rows.add(row);
    if (const uint64_t taken = rows.finish(); taken != w.effect->inserts.size())
      unexpected(*w.table, w.effect->inserts.size(), taken);
  }
}

void Writer::run_deletes(TargetTable& table, const TableEffect& effect, uint32_t group) {
  if (effect.deletes.empty()) return;
  const uint64_t gone = session_
                            .query("DELETE FROM " + table.rows + " AS t USING " + targets_.stage(table) +
                                   " AS s WHERE " + of_group(group) + " AND " + match_condition(table, "t", "s"))
                            .affected();
  const auto expected = static_cast<uint64_t>(
      std::count_if(effect.deletes.begin(), effect.deletes.end(), [](const DeletedRow& row) { return row.expected; }));
  if (gone != expected) unexpected(table, expected, gone);
}

void Writer::run_updates(TargetTable& table, const TableEffect& effect, uint32_t first_group) {
  for (size_t i = 0; i < effect.updates.size(); ++i) {
    const UpdateGroup& group = effect.updates[i];
    const std::string rows = targets_.stage(table) + " AS s WHERE " + of_group(first_group + i);
    std::string set;
    std::string condition = match_condition(table, "t", "s");
    for (size_t c = 0; c < group.set.size(); ++c) {
      if (!group.set[c]) continue;
      const std::string now = table.columns[c] + " = s." + table.columns[c];
      if (table.always[c])  // no UPDATE may set it; in order, the row is made anew
        condition += " AND t." + now;
      else
        set += (set.empty() ? "" : ", ") + now;
    }
    if (set.empty()) set = set_nothing(table);
    if (const std::optional<size_t> newest = incidents_.newest_of(*effect.relation); newest && group.set[*newest])
      condition += " AND NOT coalesce(t." + table.columns[*newest] + " > s." + table.columns[*newest] + ", false)";
    const uint64_t touched =
        session_.query("UPDATE " + table.rows + " AS t SET " + set + " FROM " + rows + " AND " + condition).affected();
    if (touched != group.rows.size()) unexpected(table, group.rows.size(), touched);
  }
}

// In order each operation is looked at by itself.
void Writer::unexpected(const TargetTable& table, uint64_t expected, uint64_t met) const {
  throw Unfit(session_.node() + ": " + table.shape.text + " has " + std::to_string(met) + " of " +
              std::to_string(expected) + " rows that are changed");
}

}  // namespace apply
