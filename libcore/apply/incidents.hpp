// What a writer needs where the standby is not as the primary's changes expect, or refuses one: what the configuration
// wants then, the conflict log and the quarantine. One for each run, whichever of its sessions meets it; whoever
// commits a batch calls before_commit() and committed(), and load() after a roll-back.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "apply/conflict.hpp"
#include "apply/quarantine.hpp"
#include "apply/tables.hpp"
#include "config/settings.hpp"

namespace apply {

struct Result {
  std::string what;   // "conflict insert_exists", "quarantined", "refused"
  std::string error;  // why it is not on the standby; empty where it is, or need not be
};
// What became of operations of a piece, where that is not just "applied"; by their operation_id.
using Results = std::map<std::string, Result>;

struct Incidents {
  // `may_hold`: what is refused may go to quarantine.
  // `leaves_out`: it is left out and told in the results, and nothing of it is kept.
  Incidents(const config::Settings& settings, const config::Node& node, bool may_hold, bool leaves_out);

  // The column that newest_wins compares; none under another policy. Throws Unfit when the table has none of its name.
  std::optional<size_t> newest_of(const change::Relation& relation) const;

  // Whether a column that the primary dropped, or gave another type, has to change on the standby, too.
  bool follows_shapes() const { return settings.schema_drift != config::SchemaDrift::common_columns; }

  bool any() const { return conflicts.any() || quarantine.any(); }
  void before_commit();
  Conflicts committed();
  void load(change::Lsn at);
  void take_back();  // what the open batch brought, which is to be written otherwise
  void conflict(Conflict kind, const Operation& operation, std::string_view outcome, std::string_view present);
  void hold(const Operation& operation, const std::string& sqlstate, const std::string& message,
            const std::string& present);
  void leave_out(const Operation& operation, const std::string& message);
  // Of the piece in hand: it went to quarantine, or was left out.
  bool is_out(const Operation& operation) const;
  // Since the last call.
  Results take_results() { return std::exchange(results_, {}); }
  // The table is marked for the next full pass.
  void mark(const Operation& operation, const std::string& reason) const;

  const config::Settings& settings;
  const config::Node& node;
  const config::ConflictResolution policy;
  const bool leaves_out;
  ConflictLog conflicts;
  Tables tables;
  Quarantine quarantine;

 private:
  Results results_;
};

// "operation 0/1A2B3C8#2 on public.images: "
std::string named(const Operation& operation);

}  // namespace apply
