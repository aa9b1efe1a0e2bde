#include "apply/writer.hpp"

#include <algorithm>

#include "apply/row_copy.hpp"
#include "base/error.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

using change::EventType;
using change::Value;

// "stage" rows of one statement.
std::string of_group(size_t group) { return "s." + pg::quote_identifier(stage_group) + " = " + std::to_string(group); }

}  // namespace

bool Writer::can_fold(const Prepared& prepared) const {
  return session_.replica_role() || std::none_of(prepared.fold.tables.begin(), prepared.fold.tables.end(),
                                                 [](const TableEffect& effect) { return effect.moved_keys; });
}

void Writer::write(const Prepared& prepared) {
  const Piece& piece = prepared.piece;
  for (const Truncate& what : piece.truncates) truncate(what);
  if (piece.in_order || !can_fold(prepared)) {
    std::vector<const Operation*> all;
    for (const Operation& operation : piece.operations) all.push_back(&operation);
    write_in_order(all);
  } else {
    write_folded(prepared);
    write_in_order(prepared.fold.in_order);
  }
}

bool Writer::may_overlap(const Prepared& prepared) {
  return session_.replica_role() &&
         std::none_of(prepared.fold.tables.begin(), prepared.fold.tables.end(), [this](const TableEffect& effect) {
           const TargetTable& table = targets_.of(*effect.relation);
           return table.partitioned || table.fires;
         });
}

// All rows to the staging tables first, then deletes from the children up and the rest from the parents down: what a
// unique value or a foreign key needs is there before it is asked for.
void Writer::write_folded(const Prepared& prepared) {
  struct Work {
    TargetTable* table;
    const TableEffect* effect;
  };
  std::vector<Work> work;
  for (const TableEffect& effect : prepared.fold.tables) work.push_back({&targets_.of(*effect.relation), &effect});
  std::stable_sort(work.begin(), work.end(),
                   [](const Work& a, const Work& b) { return a.table->depth < b.table->depth; });
  if (staged_ != &prepared) stage(prepared);
  staged_ = nullptr;
  for (auto w = work.rbegin(); w != work.rend(); ++w) run_deletes(*w->table, *w->effect);
  for (const Work& w : work) {
    run_updates(*w.table, *w.effect);
    RowCopy rows(session_, w.table->name + " (" + column_list(*w.table) + ")", w.table->forms, false);
    for (const auto& row : w.effect->inserts) rows.add(row);
    rows.finish();
    // The next piece of the same transaction stages its own rows: these are done with.
    if (w.effect->stages() && !prepared.piece.ends_batch) session_.query("DELETE FROM " + targets_.stage(*w.table));
  }
}

void Writer::stage(const Prepared& prepared) {
  for (const TableEffect& effect : prepared.fold.tables) {
    TargetTable& table = targets_.of(*effect.relation);
    targets_.check_types(table);
    stage_rows(table, effect);
  }
  staged_ = &prepared;
}

// What deletes and updates name: the rows of statement 0 are deleted, those of n updated as updates[n - 1] says.
void Writer::stage_rows(TargetTable& table, const TableEffect& effect) {
  if (!effect.stages()) return;
  RowCopy rows(session_, targets_.stage(table), table.forms, true);
  std::vector<Value> keyed(table.columns.size());  // all but the key stay absent
  for (const auto& key : effect.deletes) {
    for (size_t i = 0; i < key.size(); ++i) keyed[effect.relation->key[i]] = key[i];
    rows.add(keyed, 0);
  }
  for (uint32_t group = 0; group < effect.updates.size(); ++group)
    for (const auto& row : effect.updates[group].rows) rows.add(row, group + 1);
  rows.finish();
}

void Writer::run_deletes(TargetTable& table, const TableEffect& effect) {
  if (effect.deletes.empty()) return;
  const uint64_t gone = session_
                            .query("DELETE FROM " + table.name + " AS t USING " + targets_.stage(table) +
                                   " AS s WHERE " + of_group(0) + " AND " + match_condition(table, "t", "s"))
                            .affected();
  if (gone < effect.deletes_expected) conflicts_.delete_missing += effect.deletes_expected - gone;
}

void Writer::run_updates(TargetTable& table, const TableEffect& effect) {
  for (size_t i = 0; i < effect.updates.size(); ++i) {
    const UpdateGroup& group = effect.updates[i];
    const std::string rows = targets_.stage(table) + " AS s WHERE " + of_group(i + 1);
    std::string set;
    for (size_t c = 0; c < group.set.size(); ++c) {
      if (!group.set[c]) continue;
      if (table.always[c])  // no UPDATE may set it; a row where it changed is made anew below
        session_.query("DELETE FROM " + table.name + " AS t USING " + rows + " AND " +
                       match_condition(table, "t", "s") + " AND t." + table.columns[c] + " <> s." + table.columns[c]);
      else
        set += (set.empty() ? "" : ", ") + table.columns[c] + " = s." + table.columns[c];
    }
    // A table of nothing but its key has nothing to set, yet its row has to be there.
    if (set.empty()) set = table.columns[table.match[0]] + " = s." + table.columns[table.match[0]];
    const uint64_t touched = session_
                                 .query("UPDATE " + table.name + " AS t SET " + set + " FROM " + rows + " AND " +
                                        match_condition(table, "t", "s"))
                                 .affected();
    if (touched == group.rows.size()) continue;
    if (!group.whole)
      throw Unfit(session_.node() + ": " + table.relation->text + " lacks " +
                  std::to_string(group.rows.size() - touched) + " rows whose update does not carry every value");
    std::string columns;
    for (const std::string& column : table.columns) columns += (columns.empty() ? "s." : ", s.") + column;
    conflicts_.update_missing +=
        session_
            .query("INSERT INTO " + table.name + " (" + column_list(table) + ") OVERRIDING SYSTEM VALUE SELECT " +
                   columns + " FROM " + rows + " AND NOT EXISTS (SELECT FROM " + table.name + " AS t WHERE " +
                   match_condition(table, "t", "s") + ")")
            .affected();
  }
}

// In one statement, so that foreign keys among the tables hold; never further by CASCADE: what else the primary emptied
// is named in the stream itself.
void Writer::truncate(const Truncate& what) {
  std::string tables;
  for (const base::TableName& table : what.tables) tables += (tables.empty() ? "" : ", ") + pg::quote_table(table);
  session_.query("TRUNCATE " + tables + (what.restart_identity ? " RESTART IDENTITY" : ""));
}

}  // namespace apply
