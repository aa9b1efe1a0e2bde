#include "apply/gather.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/stop.hpp"

namespace apply {
namespace {

using change::EventType;

// Values that a piece holds before it is handed on. Three or four pieces live at once (gathered, ready, being written),
// each with its COPY text beside it: some 50 MiB in all, while a COPY of thousands of rows still costs no more a row.
constexpr size_t piece_bytes = 6 << 20;

// Operations that a batch aims at when many wait: where the cost of a commit no longer shows.
constexpr uint64_t catch_up = 5000;

}  // namespace

std::unique_ptr<Piece> Gatherer::next() {
  while (!at_end_) {
    if (truncate_) {
      piece_->truncates.push_back(*std::exchange(truncate_, std::nullopt));
      piece_->last_lsn = transaction_;
      return hand_over(false);
    }
    if (batch_open_ && !in_transaction_ && !source_.ready()) return hand_over(true);
    const change::Event* event = source_.next(piece_->arena);
    if (event == nullptr) return nothing_now();
    if (std::unique_ptr<Piece> piece = take(*event)) return piece;
  }
  return nullptr;
}

std::unique_ptr<Piece> Gatherer::nothing_now() {
  at_end_ = source_.ended();
  if (in_transaction_) {
    if (at_end_ && !base::stop_requested())
      throw base::Error(base::Exit::data, "the stream ends inside the transaction " + transaction_.text() +
                                              "; nothing of it is applied, send it whole");
    return nullptr;
  }
  return batch_open_ ? hand_over(true) : nullptr;
}

std::unique_ptr<Piece> Gatherer::take(const change::Event& event) {
  switch (event.type) {
    case EventType::source:
      void_transaction();
      return nullptr;
    case EventType::keepalive:
      return nullptr;
    case EventType::begin:
      return begin(event);
    case EventType::commit:
      return commit(event);
    case EventType::relation: {
      // Rows of two shapes of a table do not fold together.
      const auto found = shapes_.find(event.relation->text);
      if (found != shapes_.end() && found->second != event.relation) return hand_over(false);
      return nullptr;
    }
    case EventType::truncate: {
      ++batch_operations_;
      truncate_ = Truncate{event.tables, event.restart_identity};
      return piece_->operations.empty() ? nullptr : hand_over(false);
    }
    case EventType::insert:
    case EventType::update:
    case EventType::remove:
      break;
  }
  shapes_[event.relation->text] = event.relation;
  piece_->operations.push_back({event.type, event.relation, event.key, event.row, transaction_, event.ordinal});
  piece_->last_lsn = transaction_;
  ++batch_operations_;
  return piece_->arena.used() >= piece_bytes ? hand_over(false) : nullptr;
}

std::unique_ptr<Piece> Gatherer::begin(const change::Event& event) {
  if (limits_.until && event.lsn >= *limits_.until) {
    at_end_ = true;
    return batch_open_ ? hand_over(true) : nullptr;
  }
  in_transaction_ = batch_open_ = true;
  transaction_ = event.lsn;
  transaction_time_ = event.time;
  transaction_start_ = piece_->operations.size();
  transaction_split_ = false;
  piece_->in_order = event.lsn <= limits_.in_order_until;
  return nullptr;
}

std::unique_ptr<Piece> Gatherer::commit(const change::Event& event) {
  in_transaction_ = false;
  reached_ = {event.lsn, event.end_lsn, transaction_time_, source_.operations()};
  ++piece_->transactions;
  piece_->last_lsn = event.lsn;
  const uint64_t waiting = source_.operations_at_end() - reached_.operations;
  const uint64_t aim = waiting > limits_.max_queue_size ? std::max(limits_.batch_size, catch_up) : limits_.batch_size;
  return batch_operations_ >= aim || piece_->in_order ? hand_over(true) : nullptr;
}

// The stream started again: what was open will come once more, whole.
void Gatherer::void_transaction() {
  if (!std::exchange(in_transaction_, false)) return;
  if (transaction_split_)
    throw base::Transient(base::Exit::unreachable,
                          "the stream broke off inside the transaction " + transaction_.text());
  batch_operations_ -= piece_->operations.size() - transaction_start_;
  piece_->operations.resize(transaction_start_);
  batch_open_ = piece_->transactions > 0;
}

std::unique_ptr<Piece> Gatherer::hand_over(bool ends_batch) {
  auto out = std::exchange(piece_, std::make_unique<Piece>());
  out->ends_batch = ends_batch;
  shapes_.clear();
  if (ends_batch) {
    out->position = reached_;
    batch_operations_ = 0;
    batch_open_ = false;
  } else {
    piece_->in_order = out->in_order;
    transaction_start_ = 0;
    transaction_split_ = true;
  }
  return out;
}

}  // namespace apply
