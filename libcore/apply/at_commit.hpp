// Operations of one transaction that is refused as a whole, at its commit, by a constraint which the standby checks
// only then: finds those that it is for, as few as can be, takes them out, and writes the rest. Owns the search. Slow,
// since each try writes the transaction again, and called only where nothing else is left to do.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "apply/deferred.hpp"
#include "apply/in_order.hpp"
#include "apply/incidents.hpp"
#include "apply/one_by_one.hpp"
#include "apply/target.hpp"
#include "pg/error.hpp"
#include "pg/session.hpp"

namespace apply {

class AtCommit {
 public:
  AtCommit(pg::Session& session, Targets& targets, InOrder& in_order, Deferred& deferred, Incidents& incidents)
      : session_(session),
        targets_(targets),
        in_order_(in_order),
        deferred_(deferred),
        one_by_one_(session, targets, incidents),
        incidents_(incidents) {}

  // All of the transaction's operations, inside the open one, which nothing was written in. Those that are taken out go
  // to quarantine, which has to be enabled. Throws as OneByOne does.
  void write(std::span<const Operation* const> operations);

 private:
  // By place in the transaction; nothing where an operation only waits for one before it on the same row.
  using Refusals = std::map<size_t, std::optional<pg::SqlError>>;
  enum class Then { keep, undo };
  bool passes(std::span<const Operation* const> operations, const Refusals& without, Then then);
  Refusals suspects(std::span<const Operation* const> operations);
  void give_back(std::span<const Operation* const> operations, Refusals& without);

  pg::Session& session_;
  Targets& targets_;
  InOrder& in_order_;
  Deferred& deferred_;
  OneByOne one_by_one_;
  Incidents& incidents_;
  int tries_ = 0;
  std::optional<pg::SqlError> refusal_;  // of the whole, the last time
};

}  // namespace apply
