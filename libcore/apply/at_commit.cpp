#include "apply/at_commit.hpp"

#include <algorithm>
#include <iterator>

#include "apply/statement.hpp"
#include "base/log.hpp"

namespace apply {
namespace {

// Tries to find fewer that have to go. One that does not belong costs about the logarithm of how many are suspected, so
// this is enough for some dozens of them; beyond it more is held than need be, and nothing is lost.
constexpr int most_tries = 256;

}  // namespace

void AtCommit::write(std::span<const Operation* const> operations) {
  tries_ = 0;
  deferred_.make_ready(operations);
  Refusals without;
  if (!passes(operations, without, Then::undo)) {
    without = suspects(operations);
    if (without.empty() || !passes(operations, without, Then::undo))  // what they come to together is refused
      for (size_t i = 0; i < operations.size(); ++i) without.emplace(i, *refusal_);
    give_back(operations, without);
  }
  base::log(base::Level::debug, session_.node() + ": " + std::to_string(without.size()) + " of " +
                                    std::to_string(operations.size()) + " operations are refused at the commit");
  passes(operations, without, Then::keep);
}

// Those that are refused by themselves where the standby checks each at once: all that can be to blame, what comes
// after them on the same row, and some that a later one of the transaction would have made right.
AtCommit::Refusals AtCommit::suspects(std::span<const Operation* const> operations) {
  Refusals out;
  session_.query("SAVEPOINT pgtandem_commit; SET CONSTRAINTS ALL IMMEDIATE");
  for (size_t i = 0; i < operations.size(); ++i) {
    const Operation& operation = *operations[i];
    if (!incidents_.quarantine.held(operation).empty()) {
      if (!one_by_one_.write(operation)) out.emplace(i, std::nullopt);
      continue;
    }
    const Statement statement = statement_of(operation, targets_.of(*operation.relation));
    session_.query("SAVEPOINT pgtandem_one");
    try {
      session_.query(statement.sql, statement.values);
      session_.query("RELEASE SAVEPOINT pgtandem_one");
    } catch (const pg::SqlError& refused) {
      if (!pg::is_refusal_of_rows(refused)) throw;
      session_.query("ROLLBACK TO SAVEPOINT pgtandem_one; RELEASE SAVEPOINT pgtandem_one");
      one_by_one_.hold(operation, refused);
      out.emplace(i, refused);
    }
  }
  session_.query("ROLLBACK TO SAVEPOINT pgtandem_commit; RELEASE SAVEPOINT pgtandem_commit");
  incidents_.take_back();
  return out;
}

// As many of them as can be, in ever smaller lots, until not even one more can.
void AtCommit::give_back(std::span<const Operation* const> operations, Refusals& without) {
  for (size_t lot = std::max<size_t>(1, without.size() / 2);;) {
    bool gave = false;
    for (size_t from = 0; from < without.size() && without.size() > 1 && tries_ < most_tries;) {
      const auto begin = std::next(without.begin(), static_cast<long>(from));
      const auto end = std::next(begin, static_cast<long>(std::min(lot, without.size() - from)));
      Refusals rest(without.begin(), begin);
      rest.insert(end, without.end());
      if (!rest.empty() && passes(operations, rest, Then::undo)) {
        without = std::move(rest);
        gave = true;
      } else {
        from += lot;
      }
    }
    if (lot > 1)
      lot /= 2;
    else if (!gave)
      return;
  }
}

// Whether the standby would commit the transaction without these.
bool AtCommit::passes(std::span<const Operation* const> operations, const Refusals& without, Then then) {
  ++tries_;
  session_.query("SAVEPOINT pgtandem_commit");
  size_t next = 0;
  for (const auto& [place, refused] : without) {
    in_order_.write(operations.subspan(next, place - next));
    // What is checked only at the commit would let a later change of a held row make the row: it waits, and is not
    // tried.
    if (const std::string first = incidents_.quarantine.held(*operations[place]); !first.empty())
      one_by_one_.wait(*operations[place], first);
    else if (refused)
      one_by_one_.hold(*operations[place], *refused);
    else
      one_by_one_.write(*operations[place]);
    next = place + 1;
  }
  in_order_.write(operations.subspan(next));
  if (then == Then::keep) {
    session_.query("RELEASE SAVEPOINT pgtandem_commit");
    return true;
  }
  deferred_.note(operations);
  refusal_.reset();
  try {
    session_.query("SET CONSTRAINTS ALL IMMEDIATE");
    refusal_ = deferred_.broken();
  } catch (const pg::SqlError& refused) {
    if (!pg::is_refusal_of_rows(refused)) throw;
    refusal_ = refused;
  }
  session_.query("ROLLBACK TO SAVEPOINT pgtandem_commit; RELEASE SAVEPOINT pgtandem_commit");
  incidents_.take_back();
  return !refusal_;
}

}  // namespace apply
