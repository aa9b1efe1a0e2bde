#include "apply/account.hpp"

#include <utility>

namespace apply {

void Account::add(const Piece& piece, const Results& results) {
  report_.add(piece, results);
  hooks_.add(piece, results);
  pending_ += piece.operations.size() + piece.truncates.size();
}

void Account::commit(change::Lsn lsn, uint64_t transactions, const Conflicts& conflicts, bool durable) {
  report_.commit();
  hooks_.commit();
  tally_.add(lsn, {transactions, std::exchange(pending_, 0), conflicts}, durable);
}

void Account::retried(change::Lsn lsn, const Operation& operation, const Results& results, const Conflicts& conflicts) {
  Piece piece;
  piece.operations = {operation};
  report_.add(piece, results);
  hooks_.add(piece, results);
  report_.commit();
  hooks_.commit();
  tally_.add(lsn, {0, 0, conflicts}, true);
}

void Account::take_back() {
  report_.roll_back();
  hooks_.roll_back();
  pending_ = 0;
}

}  // namespace apply
