#include "apply/gather.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/stop.hpp"

namespace apply {
namespace {

using change::EventType;

// Values that a piece holds before it is handed on. Up to six pieces live at once (gathered, ready, being written):
// some 50 MiB in all, while a COPY of thousands of rows still costs no more a row.
constexpr size_t piece_bytes = 6 << 20;

// Operations that a batch aims at when many wait: where the cost of a commit no longer shows.
constexpr uint64_t catch_up = 5000;

}  // namespace

std::unique_ptr<Piece> Gatherer::next() {
  if (failure_) std::rethrow_exception(failure_);
  try {
    return gather();
  } catch (const base::Error&) {
    if (piece_->commits.empty()) throw;
    failure_ = std::current_exception();
    forget_open();
    return hand_over(true);
  }
}

std::unique_ptr<Piece> Gatherer::gather() {
  while (!at_end_) {
    if (new_piece_ && (!piece_->operations.empty() || !piece_->commits.empty())) return split();
    new_piece_ = false;
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
      new_piece_ = found != shapes_.end() && found->second != event.relation;
      return nullptr;
    }
    case EventType::truncate: {
      Truncate what{{}, {}, event.restart_identity, transaction_, event.ordinal};
      for (size_t i = 0; i < event.tables.size(); ++i) {
        if (!limits_.selection.takes(event.tables[i].text())) continue;
        what.tables.push_back(event.tables[i]);
        const change::Relation* const shape = event.shapes[i];
        what.shapes.push_back(shape == nullptr ? nullptr : limits_.selection.shape(*shape));
      }
      if (what.tables.empty()) return nullptr;
      ++batch_operations_;
      truncate_ = std::move(what);
      new_piece_ = true;
      return nullptr;
    }
    case EventType::copy:
      throw base::Error(base::Exit::data,
                        "a copy in a stream that is no comparison's; nothing of its transaction is "
                        "applied, send the lines of diff as they are");
    case EventType::insert:
    case EventType::update:
    case EventType::remove:
      break;
  }
  const change::Relation* const shape = limits_.selection.shape(*event.relation);
  if (shape == nullptr) return nullptr;
  shapes_[event.relation->text] = event.relation;
  piece_->operations.push_back({event.type, shape, limits_.selection.key(*event.relation, event.key, piece_->arena),
                                limits_.selection.row(*event.relation, event.row, piece_->arena), transaction_,
                                event.ordinal});
  piece_->last_lsn = transaction_;
  ++batch_operations_;
  return piece_->arena.used() >= piece_bytes ? split() : nullptr;
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
  piece_->commits.push_back({reached_, piece_->operations.size()});
  piece_->last_lsn = event.lsn;
  const uint64_t waiting = source_.operations_at_end() - reached_.operations;
  const uint64_t aim = waiting > limits_.max_queue_size ? std::max(limits_.batch_size, catch_up) : limits_.batch_size;
  // Transactions without a change, as a filter leaves them, count too: they must not pile up.
  const bool full = batch_operations_ >= aim || piece_->commits.size() >= aim;
  return full || piece_->in_order || transaction_split_ ? hand_over(true) : nullptr;
}

// The stream started again: what was open will come once more, whole.
void Gatherer::void_transaction() {
  if (!in_transaction_) return;
  if (transaction_split_)
    throw base::Transient(base::Exit::unreachable,
                          "the stream broke off inside the transaction " + transaction_.text());
  forget_open();
}

void Gatherer::forget_open() {
  if (!std::exchange(in_transaction_, false)) return;
  batch_operations_ -= piece_->operations.size() - transaction_start_;
  piece_->operations.resize(transaction_start_);
  truncate_.reset();
  batch_open_ = !piece_->commits.empty();
}

// The piece ends here. A transaction that goes on after it gets a batch of its own: what was whole before it is a
// batch, and what was gathered of it moves on.
std::unique_ptr<Piece> Gatherer::split() {
  if (piece_->commits.empty()) return hand_over(false);
  if (!in_transaction_) return hand_over(true);
  const size_t start = transaction_start_;
  const uint64_t operations = batch_operations_ - start;
  auto whole = hand_over(true);
  whole->last_lsn = whole->position.lsn;
  const auto copy = [&](std::span<const change::Value> from) {
    change::Value* to = piece_->arena.array<change::Value>(from.size());
    for (size_t i = 0; i < from.size(); ++i) {
      to[i] = from[i];
      if (from[i].size > 0) to[i].data = piece_->arena.copy(from[i].text());
    }
    return std::span(to, from.size());
  };
  for (size_t i = start; i < whole->operations.size(); ++i) {
    Operation operation = whole->operations[i];
    operation.key = copy(operation.key);
    operation.row = copy(operation.row);
    shapes_[operation.relation->text] = operation.relation;
    piece_->operations.push_back(operation);
  }
  whole->operations.resize(start);
  piece_->in_order = transaction_ <= limits_.in_order_until;
  piece_->last_lsn = transaction_;
  batch_open_ = true;
  batch_operations_ = operations;
  transaction_start_ = 0;
  return whole;
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
