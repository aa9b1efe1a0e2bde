// Events gathered to pieces: whole transactions up to about the batch size, a larger one piece by piece in a batch of
// its own. Owns what has been gathered and not yet handed over; knows the stream, not the standby.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <unordered_map>

#include "apply/piece.hpp"
#include "apply/selection.hpp"
#include "apply/source.hpp"

namespace apply {

struct Limits {
  uint64_t batch_size = 100;         // operations that a batch aims at
  uint64_t max_queue_size = 1000;    // operations waiting above which batches grow
  std::optional<change::Lsn> until;  // only transactions that commit before it
  change::Lsn in_order_until;        // up to it each transaction is a batch of its own, not folded
  Selection selection{};             // of the stream's tables
};

class Gatherer {
 public:
  Gatherer(Source& source, const Limits& limits) : source_(source), limits_(limits) {}

  // The next piece, or nullptr: nothing whole is there now, see at_end(). A piece without ends_batch is followed by
  // more of its batch. Throws what the stream throws, and Error(data) where it ends inside a transaction, after what
  // was whole before that.
  std::unique_ptr<Piece> next();
  // The limit `until` was met, or the stream has ended.
  bool at_end() const { return at_end_; }

 private:
  std::unique_ptr<Piece> gather();
  std::unique_ptr<Piece> take(const change::Event& event);
  std::unique_ptr<Piece> begin(const change::Event& event);
  std::unique_ptr<Piece> commit(const change::Event& event);
  std::unique_ptr<Piece> nothing_now();
  void void_transaction();
  void forget_open();
  std::unique_ptr<Piece> split();
  std::unique_ptr<Piece> hand_over(bool ends_batch);

  Source& source_;
  Limits limits_;
  std::unique_ptr<Piece> piece_ = std::make_unique<Piece>();
  std::optional<Truncate> truncate_;  // to be handed over as the next piece
  bool new_piece_ = false;            // what comes now does not belong into piece_
  std::exception_ptr failure_;        // of the stream, to be thrown after what was whole
  bool batch_open_ = false;           // something of a batch was taken
  uint64_t batch_operations_ = 0;
  Position reached_;  // the last commit taken
  bool in_transaction_ = false;
  change::Lsn transaction_;  // its commit LSN
  int64_t transaction_time_ = 0;
  size_t transaction_start_ = 0;                                     // its first operation in piece_
  bool transaction_split_ = false;                                   // part of it was handed over
  std::unordered_map<std::string, const change::Relation*> shapes_;  // by table, in piece_
  bool at_end_ = false;
};

}  // namespace apply
