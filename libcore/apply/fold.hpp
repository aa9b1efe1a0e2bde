// Changes folded to their net effect: what a run of operations on a table comes to, key by key. Pure: values in, values
// out; the rows still point into the piece. The result is written in the order deletes, updates, inserts:
// keys that are equal to the server may be spelt in more than one way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "apply/piece.hpp"

namespace apply {

// Rows that are updated alike: the same columns are set, the others were not sent (unchanged TOAST).
struct UpdateGroup {
  std::vector<bool> set;                       // a column each; key columns are never set
  std::vector<std::span<change::Value>> rows;  // whole rows, key columns filled; absent where not set
  bool whole = false;                          // every column is known, so a missing row can be made
};

struct DeletedRow {
  std::span<change::Value> key;
  bool expected = false;  // the standby must have it
};

struct TableEffect {
  const change::Relation* relation = nullptr;
  std::vector<DeletedRow> deletes;
  std::vector<UpdateGroup> updates;
  std::vector<std::span<change::Value>> inserts;                        // rows
  std::vector<uint64_t> keys;                                           // key_hash() of all that it touches, sorted
  bool moved_keys = false;                                              // a changed key became delete and insert
  bool stages() const { return !deletes.empty() || !updates.empty(); }  // has rows that are found by their key
};

struct Fold {
  std::vector<TableEffect> tables;         // in the order of their first change
  std::vector<const Operation*> in_order;  // of tables that do not fold: as they came
};

// New values (merged rows) go to `piece.arena`. A table does not fold under REPLICA IDENTITY FULL, and where its net
// effect cannot be told without the standby's rows: a changed key together with a value that was not sent, or changes
// that contradict each other.
Fold fold(Piece& piece);

// So many rows it comes to, but for those in_order.
size_t rows_of(const Fold& fold);

// Of a row's key, whose values are in the order of relation->key.
uint64_t key_hash(std::span<const change::Value> key);

}  // namespace apply
