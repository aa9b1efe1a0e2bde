// A run of operations that belong to one standby transaction, in the order of the primary, with their values. Owns the
// values (an arena), so it can be handed to another thread; knows no server. A batch is one piece, of whole
// transactions. Only a transaction that is too large for memory, or has a TRUNCATE or a changed shape in it, is a batch
// of several: nothing folds over those two.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "change/change.hpp"

namespace apply {

struct Operation {
  change::EventType type;  // insert, update, remove
  const change::Relation* relation;
  std::span<change::Value> key;  // as relation->key
  std::span<change::Value> row;  // as relation->columns; insert, update
  change::Lsn lsn;               // commit LSN of its transaction
  uint64_t ordinal;              // within it, from 1
};

// "0/1A2B3C8#2": the operation_id of an operation or a truncate.
template <class T>
std::string id_of(const T& change) {
  return change.lsn.text() + "#" + std::to_string(change.ordinal);
}

const char* type_name(change::EventType type);    // insert, update, delete
std::string line_of(const Operation& operation);  // in the change format, without a newline

struct Truncate {
  std::vector<base::TableName> tables;
  std::vector<const change::Relation*> shapes;  // as tables; nullptr where the stream has told none
  bool restart_identity = false;
  change::Lsn lsn;
  uint64_t ordinal = 0;
};

// Where a batch brings the standby, known at its last piece.
struct Position {
  change::Lsn lsn;          // commit LSN of the last transaction
  change::Lsn end_lsn;      // its end
  int64_t time = 0;         // its commit time, microseconds since 1970
  uint64_t operations = 0;  // in the stream up to here, as the spool counts them
};

struct Commit {
  Position position;
  size_t operations = 0;  // of the piece that came before it
};

struct Piece {
  base::Arena arena;
  std::vector<Operation> operations;
  std::vector<Truncate> truncates;  // then `operations` is empty: the piece is these and nothing else
  bool in_order = false;            // to be written operation by operation, not folded
  bool refused_at_commit = false;   // its one transaction is, in order; only which operation it is for is not known
  bool ends_batch = false;          // commit after it
  Position position;                // valid when ends_batch
  std::vector<Commit> commits;      // the transactions that end in this piece
  change::Lsn last_lsn;             // commit LSN of the last transaction that it has a part of
};

}  // namespace apply
