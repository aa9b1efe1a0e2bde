#include "compare/repair_changes.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/clock.hpp"

namespace compare {
namespace {

using change::Event;
using change::EventType;
using change::Relation;
using change::Value;

Value value_of(const std::optional<std::string>& text) { return text ? Value::of(*text) : Value::null_value(); }

}  // namespace

RepairChanges::RepairChanges(change::Lsn lsn, base::Arena& arena, RepairCounts& counts)
    : arena_(arena), counts_(counts) {
  Event begin;
  begin.type = EventType::begin;
  begin.lsn = lsn;
  begin.time = base::unix_microseconds();
  events_.push_back(begin);
}

void RepairChanges::add(const Suspect& suspect, const Verdict& verdict) {
  const Relation& relation = *suspect.relation;
  RepairCount& count = counts_[relation.text];
  if (verdict.kind == Verdict::Kind::equal) {
    ++count.equal;
  } else if (relation.identity == change::Identity::full) {
    const std::span<Value> row = copy(suspect.key);
    for (uint64_t i = verdict.standby.copies; i < verdict.primary.copies; ++i)
      change(EventType::insert, relation, row, row);
    for (uint64_t i = verdict.primary.copies; i < verdict.standby.copies; ++i)
      change(EventType::remove, relation, row, {});
  } else if (verdict.primary.copies == 0) {
    change(EventType::remove, relation, key_in(relation, verdict.standby), {});
  } else {
    const std::span<Value> row = row_of(verdict.primary);
    if (verdict.standby.copies == 0)
      change(EventType::insert, relation, key_in(relation, verdict.primary), row);
    else
      change(EventType::update, relation, key_in(relation, verdict.standby), row);
  }
}

std::vector<Event> RepairChanges::take(change::Lsn lsn) {
  Event commit;
  commit.type = EventType::commit;
  commit.lsn = lsn;
  commit.end_lsn = {lsn.value + 1};
  commit.changes = events_.size() - 1;
  events_.push_back(commit);
  return std::move(events_);
}

void RepairChanges::change(EventType type, const Relation& relation, std::span<Value> key, std::span<Value> row) {
  RepairCount& count = counts_[relation.text];
  ++(type == EventType::insert ? count.inserted : type == EventType::update ? count.updated : count.deleted);
  Event event;
  event.type = type;
  event.relation = &relation;
  event.key = key;
  event.row = row;
  event.ordinal = events_.size();
  events_.push_back(std::move(event));
}

std::span<Value> RepairChanges::copy(std::span<const Value> from) {
  Value* to = arena_.array<Value>(from.size());
  std::copy(from.begin(), from.end(), to);
  return {to, from.size()};
}
std::span<Value> RepairChanges::row_of(const SeenRow& seen) {
  Value* to = arena_.array<Value>(seen.values.size());
  for (size_t i = 0; i < seen.values.size(); ++i) to[i] = value_of(seen.values[i]);
  return {to, seen.values.size()};
}
std::span<Value> RepairChanges::key_in(const Relation& relation, const SeenRow& seen) {
  Value* to = arena_.array<Value>(relation.key.size());
  for (size_t i = 0; i < relation.key.size(); ++i) to[i] = value_of(seen.values[relation.key[i]]);
  return {to, relation.key.size()};
}

}  // namespace compare
