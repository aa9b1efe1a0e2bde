#include "apply/incidents.hpp"

#include "apply/target.hpp"
#include "pg/newest_column.hpp"
#include "state/marks.hpp"

namespace apply {

Incidents::Incidents(const config::Settings& of, const config::Node& standby, bool may_hold, bool leaves)
    : settings(of),
      node(standby),
      policy(of.synchronization.conflict_resolution),
      leaves_out(leaves),
      conflicts(of, standby),
      tables(of, may_hold),
      quarantine(of, standby, tables, may_hold) {}

std::optional<size_t> Incidents::newest_of(const change::Relation& relation) const {
  if (policy != config::ConflictResolution::newest_wins) return {};
  const std::string& column = settings.synchronization.newest_column;
  for (size_t i = 0; i < relation.columns.size(); ++i)
    if (relation.columns[i].name == column) return i;
  throw Unfit(pg::lacks_newest_column(settings, relation.text));
}

void Incidents::before_commit() {
  quarantine.before_commit();
  conflicts.sync();
}

Conflicts Incidents::committed() {
  quarantine.committed();
  return conflicts.take();
}

void Incidents::conflict(Conflict kind, const Operation& operation, std::string_view outcome,
                         std::string_view present) {
  conflicts.add(kind, operation, outcome, present);
  results_[id_of(operation)] = {"conflict " + std::string(name_of(kind)), {}};
}

void Incidents::hold(const Operation& operation, const std::string& sqlstate, const std::string& message,
                     const std::string& present) {
  quarantine.hold(operation, sqlstate, message, present);
  results_[id_of(operation)] = {"quarantined", message};
}

void Incidents::leave_out(const Operation& operation, const std::string& message) {
  results_[id_of(operation)] = {"refused", message};
}

bool Incidents::is_out(const Operation& operation) const {
  if (results_.empty()) return false;
  const auto found = results_.find(id_of(operation));
  return found != results_.end() && !found->second.error.empty();
}

void Incidents::load(change::Lsn at) {
  results_.clear();
  conflicts.take_back();
  quarantine.load(at);
}

void Incidents::take_back() {
  results_.clear();
  conflicts.take_back();
  quarantine.take_back();
}

void Incidents::mark(const Operation& operation, const std::string& reason) const {
  state::mark_table(settings.state_directory, node.name, operation.relation->text, reason, id_of(operation));
}

std::string named(const Operation& operation) {
  return "operation " + id_of(operation) + " on " + operation.relation->text + ": ";
}

}  // namespace apply
