// The careful way: one operation at a time, each in a savepoint of its own. Decides by the configured policy where the
// standby's row is not what the operation expects, and takes out an operation that the standby refuses for good. Slow,
// and called only where something is wrong.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apply/deferred.hpp"
#include "apply/incidents.hpp"
#include "apply/statement.hpp"
#include "apply/target.hpp"
#include "pg/error.hpp"
#include "pg/session.hpp"

namespace apply {

class OneByOne {
 public:
  OneByOne(pg::Session& session, Targets& targets, Incidents& incidents)
      : session_(session), targets_(targets), incidents_(incidents) {}

  // Inside a transaction. Throws Unfit for a conflict under `stop`, and where nothing may be held or left out,
  // pg::SqlError for a refusal; both name the operation. False where it went to quarantine, or is left out.
  bool write(const Operation& operation);
  // One that comes out of quarantine: as write(), but it is not held again. Returns why it is refused; empty when it
  // was not.
  std::string retry(const Operation& operation);
  // After all of a batch is written, for an operation whose row has a value now that a DEFERRABLE constraint keeps
  // single: the rows of others that have it too give way, if the policy says so. Else returns the refusal.
  std::optional<RefusedAtEnd> settle(const Operation& operation);
  // Takes out an operation that is refused. Throws where nothing may be held, or left out; and Misfit where it is a
  // label that the standby's enum lacks, for then all rows with it would be refused: the table waits for it.
  void hold(const Operation& operation, const pg::SqlError& refused);
  // Takes out one that comes after the held operation `first` on the same row.
  void wait(const Operation& operation, const std::string& first);

 private:
  std::optional<pg::SqlError> attempt(const Operation& operation);
  void tell(const Operation& operation);
  void meet(const Operation& operation, TargetTable& table);
  bool put(const Operation& operation);
  std::string advice(const Operation& operation, const pg::SqlError& refused);
  void insert_conflict(const Operation& operation, TargetTable& table, const pg::SqlError& refused);
  void row_missing(const Operation& operation, TargetTable& table);
  struct Rivals;
  std::vector<Rivals> rivals_of(const Operation& operation, TargetTable& table, bool deferrable);
  void remove(const Operation& operation, const TargetTable& table, const std::vector<Rivals>& all);
  enum class Room { none, refused, made };
  Room make_room(const Operation& operation, TargetTable& table);
  void with_room(const Operation& operation, TargetTable& table, const std::function<void()>& what);
  void overwrite(const Operation& operation, TargetTable& table);
  void force(const Operation& operation, TargetTable& table);
  bool behind_held(const Operation& operation, const std::string& first);
  void conflict(Conflict kind, const Operation& operation, const std::string& outcome, const std::string& present);

  struct Found {
    bool any = false;
    bool later = false;  // by newest_wins' column
    std::string rows;    // JSON: the row, or an array of several
  };
  Found find(const Statement& statement, bool several);
  pg::Result guarded(const Statement& statement);
  uint64_t run(const Statement& statement) { return guarded(statement).affected(); }

  pg::Session& session_;
  Targets& targets_;
  Incidents& incidents_;
  struct Told {
    Conflict kind;
    std::string outcome;
    std::string present;
  };
  std::vector<Told> told_;  // conflicts of the operation in hand
};

}  // namespace apply
