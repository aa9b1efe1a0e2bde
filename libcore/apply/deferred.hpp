// Unique and exclusion constraints that are DEFERRABLE. PostgreSQL keeps these by a trigger of its own, which a session
// with replica role does not fire (manual, session_replication_role), so that two rows with one value would stay; and
// any other one would hear of it at the commit, where no policy can be asked. So what a batch brought is asked for at
// its end. Owns that question, and the rows that it noted for it in the staging tables; changes no row of a user's.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>

#include "apply/incidents.hpp"
#include "apply/piece.hpp"
#include "apply/target.hpp"
#include "pg/error.hpp"
#include "pg/session.hpp"

namespace apply {

// As the server would refuse the commit of a transaction that does not keep such a constraint.
class RefusedAtEnd : public pg::SqlError {
 public:
  RefusedAtEnd(const std::string& where, const UniqueIndex& index);
};

class Deferred {
 public:
  Deferred(pg::Session& session, Targets& targets, const Incidents& incidents)
      : session_(session), targets_(targets), incidents_(incidents) {}

  // To be called before a savepoint that may be rolled back after note(): a staging table is made at its first use.
  void make_ready(std::span<const Operation* const> operations);
  // What operations brought, after they are written, in the same transaction.
  void note(std::span<const Operation* const> operations);
  // Whether what was noted in the open transaction left two rows that cannot both be there. A value that a later piece
  // took away again breaks nothing. Of rows that no key finds only what the change carries is looked at.
  std::optional<RefusedAtEnd> broken();
  // Of the staging tables' rows, those that are not noted.
  static std::string not_noted();

 private:
  pg::Session& session_;
  Targets& targets_;
  const Incidents& incidents_;
  std::set<TargetTable*> noted_;  // by this session, once
};

}  // namespace apply
