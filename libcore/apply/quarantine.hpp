// Operations that the standby refuses for what is in them, taken out so that the rest goes on. Owns which are held for
// one standby, and what the open batch adds and takes away: that is made durable before the batch is committed, and
// undone when it is not. What changes a held row waits behind it, unless it brings the whole row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "apply/piece.hpp"
#include "apply/prepared.hpp"
#include "apply/tables.hpp"
#include "base/arena.hpp"
#include "change/reader.hpp"
#include "config/settings.hpp"
#include "spool/dead.hpp"

namespace apply {

// A letter taken apart again.
class HeldOperation {
 public:
  explicit HeldOperation(const spool::DeadLetter& letter);
  const Operation& operation() const { return operation_; }

 private:
  base::Arena arena_;
  change::Reader reader_;
  Operation operation_;
};

class Quarantine {
 public:
  // Without `enabled` nothing is held, and hold() is not to be called: what is refused stops apply.
  Quarantine(const config::Settings& settings, const config::Node& node, const Tables& tables, bool enabled);

  bool enabled() const { return enabled_; }
  // Reads what is there; the standby is at `at`. What was not committed, as a crash leaves it, goes. look() does it
  // again when `queue dead` has changed something; not while a batch is open.
  void load(change::Lsn at);
  void look(change::Lsn at);

  // The id of the first operation that is held of the row; empty if none is.
  std::string held(const Operation& operation) const;
  bool touches(const Prepared& prepared) const;  // whether a row of it is held

  // Throws Error(data) where more than spool.max_dead would be held.
  void hold(const Operation& operation, const std::string& sqlstate, const std::string& message,
            const std::string& present);
  // The rows of the operation, or of the whole table, are now as on the primary: what is held of them goes.
  void supersede(const Operation& operation);
  void supersede(const base::TableName& table, change::Lsn by);
  // Whether what is held of the row moved to another key, so that no single change brings all of it.
  bool moved(const Operation& operation) const;

  // Those that `queue dead retry` has asked for, in order; why one has to wait, for another on its row; and why one is
  // refused again, empty: it is on the standby, with these conflicts.
  std::vector<spool::DeadLetter> to_retry() const;
  std::string waits(const spool::DeadLetter& letter) const;
  void retried(const spool::DeadLetter& letter, const std::string& refusal, const std::string& conflicts);

  bool any() const { return !added_.empty() || !gone_.empty(); }
  void before_commit();
  void committed();
  void take_back();  // before before_commit(): the open batch adds and takes away nothing
  size_t size() const { return letters_.size(); }

 private:
  const spool::DeadLetter* first_of(const Operation& operation) const;
  void know(const change::Relation& relation);
  std::vector<uint64_t> keys_of(const Operation& operation) const;
  template <class Which>
  void release(change::Lsn by, const Which& which);
  void rebuild();

  const config::Settings& settings_;
  const config::Node& node_;
  const Tables& tables_;  // one that is paused is not where the standby is
  const bool enabled_;
  std::vector<spool::DeadLetter> letters_;                     // held, in order
  std::unordered_map<std::string, std::vector<size_t>> rows_;  // table and key hash to letters
  std::unordered_map<std::string, std::vector<std::vector<std::string>>>
      told_apart_by_;                     // table to columns, of letters
  std::vector<spool::DeadLetter> added_;  // by the open batch
  std::vector<spool::DeadLetter> gone_;   // by the open batch
  std::filesystem::file_time_type seen_;  // of the directory, when it was read
};

}  // namespace apply
