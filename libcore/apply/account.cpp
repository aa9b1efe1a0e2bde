#include "apply/account.hpp"

#include <algorithm>
#include <utility>

namespace apply {

Account::Account(const config::Settings& settings, const config::Node& node, const std::filesystem::path& report,
                 bool repairs, bool recorded, Refused refused)
    : report_(report, repairs), hooks_(settings, node), refused_(std::move(refused)) {
  if (recorded) record_.emplace(settings.state_directory, "apply." + node.name);
}

void Account::add(const Piece& piece, const Results& results) {
  report_.add(piece, results);
  hooks_.add(piece, results);
  for (const Operation& operation : piece.operations) {
    if (!refused_) break;
    const auto found = results.find(id_of(operation));
    if (found != results.end() && !found->second.error.empty()) left_out_[operation.ordinal] = found->second.error;
  }
  pending_ += piece.operations.size() + piece.truncates.size();
  held_ += static_cast<uint64_t>(
      std::ranges::count_if(results, [](const auto& result) { return !result.second.error.empty(); }));
}

void Account::commit(change::Lsn lsn, uint64_t transactions, const Conflicts& conflicts, bool durable) {
  report_.commit();
  hooks_.commit();
  for (const auto& [ordinal, why] : std::exchange(left_out_, {})) refused_(ordinal, why);
  const uint64_t operations = std::exchange(pending_, 0);
  const uint64_t held = std::exchange(held_, 0);
  tally_.add(lsn, {transactions, operations, conflicts}, durable);
  if (!record_) return;
  record_->quarantined(held);
  record(conflicts);
  record_->did(operations);
}

void Account::record(const Conflicts& conflicts) {
  for (size_t i = 0; i < conflicts.counts.size(); ++i)
    if (conflicts.counts[i] > 0) record_->conflict(std::string(name_of(static_cast<Conflict>(i))), conflicts.counts[i]);
}

void Account::released(change::Lsn lsn, const Operation& operation, const Results& results,
                       const Conflicts& conflicts) {
  Piece piece;
  piece.operations = {operation};
  report_.add(piece, results);
  hooks_.add(piece, results);
  report_.commit();
  hooks_.commit();
  tally_.add(lsn, {0, 0, conflicts}, true);
  if (record_) record(conflicts);
}

void Account::take_back() {
  report_.roll_back();
  hooks_.roll_back();
  left_out_.clear();
  pending_ = held_ = 0;
}

void Account::failed(const std::string& error, base::Exit exit) {
  hooks_.failed(error);
  if (record_) record_->failed(error, false);
  ended(exit);
}

void Account::ended(base::Exit exit) {
  if (record_) record_->ended(static_cast<int>(exit));
}

}  // namespace apply
