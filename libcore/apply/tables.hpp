// What one standby's tables are to a run, beside their rows: the shape that each took last, which of them is paused and
// since when, and which columns it goes without. A paused table's changes stay in the spool; its own position says how
// far they are applied, as the progress row does for all others. Owns pgtandem.tables, written in the transaction of
// the batch it speaks of. was() may be called while another thread changes it.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apply/piece.hpp"
#include "apply/selection.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace apply {

struct Paused {
  change::Relation shape;  // what it does not fit
  Position at;             // its changes are applied up to here
  std::string reason;      // and the way out
};

class Tables {
 public:
  // `from_spool`: of a run that applies what the queue has, to the tables that are synced and no other.
  Tables(const config::Settings& settings, bool from_spool) : settings_(settings), from_spool_(from_spool) {}

  // (Again.) What was not committed is forgotten, and so is what a table that is not synced any more waited for. Throws
  // Error(data) where `apply init` has to be run again.
  void load(pg::Session& session, const change::Source& source);

  // The shape that it took last, without columns that its filter leaves out: that these come no more is no change of
  // the primary's table. And it takes another in the open batch.
  std::optional<change::Relation> was(const std::string& table) const;
  void took(const change::Relation& shape);
  // The stream that shapes were of goes, see Targets.
  void forget_addresses() { last_ = nullptr; }

  // Its changes after `at` wait from now on; or it is paused already, and came as far as `at`.
  void pause(const change::Relation& shape, const Position& at, const std::string& reason);
  void go_on(const std::string& table);
  const std::map<std::string, Paused>& paused() const { return paused_; }
  // How far a table is, where the others are at `at`.
  change::Lsn position(const std::string& table, change::Lsn at) const;

  void leave_out(const std::string& table, const std::vector<std::string>& columns);
  void leave_nothing_out(const std::string& table) { left_out_.erase(table); }
  const Selection::LeftOut& left_out() const { return left_out_; }

  Selection all_others() const;
  Selection only(const std::string& table) const { return Selection::only(table, left_out_); }

  // In the open transaction; where that is not committed, load() is to be called.
  void write(pg::Session& session, const change::Source& source);

 private:
  void end_pause(pg::Session& session, const change::Source& source, const std::string& table, bool waits) const;

  const config::Settings& settings_;
  const bool from_spool_;
  mutable std::mutex mutex_;                        // over the next two
  std::map<std::string, change::Relation> shapes_;  // taken
  std::set<std::string> changed_;                   // to be written
  const change::Relation* last_ = nullptr;          // that took() was called with
  std::map<std::string, Paused> paused_;
  Selection::LeftOut left_out_;
};

}  // namespace apply
