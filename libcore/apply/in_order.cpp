#include "apply/in_order.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "pg/error.hpp"

namespace apply {
namespace {

// Statements in flight at once: answers of so many fit the socket's buffers, so neither side waits for the other. And
// so many are done again when one of them needs care.
constexpr size_t in_flight = 200;

}  // namespace

void InOrder::write(std::span<const Operation* const> operations) {
  for (size_t start = 0; start < operations.size(); start += in_flight) {
    const auto some = operations.subspan(start, std::min(in_flight, operations.size() - start));
    if (all_at_once(some)) continue;
    for (const Operation* operation : some) one_by_one_.write(*operation);
  }
}

// False when nothing was done, because one of them was refused or did not meet its row, or a row is held.
bool InOrder::all_at_once(std::span<const Operation* const> operations) {
  if (std::any_of(operations.begin(), operations.end(),
                  [this](const Operation* operation) { return !incidents_.quarantine.held(*operation).empty(); }))
    return false;
  // Statements are prepared before the pipeline opens: preparing waits for an answer.
  std::vector<Statement> statements;
  std::vector<const std::string*> names;
  for (const Operation* operation : operations) {
    const TargetTable& table = targets_.of(*operation->relation);
    statements.push_back(statement_of(*operation, table, incidents_.newest_of(*operation->relation)));
    names.push_back(&prepared(statements.back().sql));
  }
  session_.query("SAVEPOINT pgtandem");
  size_t failed_at = 0;
  bool all_met = true;
  try {
    session_.pipe_begin();
    for (size_t i = 0; i < operations.size(); ++i) session_.pipe(*names[i], statements[i].values);
    for (const pg::Touched& did : session_.pipe_end(failed_at)) all_met = all_met && did.rows == 1;
  } catch (const pg::SqlError& refused) {
    if (!pg::is_refusal_of_rows(refused)) throw refused.saying(named(*operations[failed_at]) + refused.what());
    all_met = false;
  }
  session_.query(all_met ? "RELEASE SAVEPOINT pgtandem" : "ROLLBACK TO SAVEPOINT pgtandem; RELEASE SAVEPOINT pgtandem");
  return all_met;
}

const std::string& InOrder::prepared(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  const std::string name = "pgtandem_" + std::to_string(statements_.size() + 1);
  session_.prepare(name, sql);
  return statements_.emplace(sql, name).first->second;
}

}  // namespace apply
