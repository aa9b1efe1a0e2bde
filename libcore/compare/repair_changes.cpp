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

std::vector<Value> row_of(const SeenRow& seen) {
  std::vector<Value> out;
  for (const std::optional<std::string>& text : seen.values)
    out.push_back(text ? Value::of(*text) : Value::null_value());
  return out;
}
std::vector<Value> key_in(const Relation& relation, const std::vector<Value>& row) {
  std::vector<Value> out;
  for (const uint16_t i : relation.key) out.push_back(row[i]);
  return out;
}

}  // namespace

Mending mending_of(const Suspect& suspect, const Verdict& verdict) {
  const Relation& relation = *suspect.relation;
  const uint64_t there = verdict.primary.copies;
  const uint64_t here = verdict.standby.copies;
  Mending out;
  if (relation.identity == change::Identity::full) {
    out.type = here < there ? EventType::insert : EventType::remove;
    out.key = suspect.key;
    if (out.type == EventType::insert) out.row = suspect.key;
    out.copies = here < there ? there - here : here - there;
    return out;
  }
  out.type = there == 0 ? EventType::remove : here == 0 ? EventType::insert : EventType::update;
  if (there > 0) out.row = row_of(verdict.primary);
  // The standby's row is found by its own words.
  out.key = key_in(relation, here > 0 ? row_of(verdict.standby) : out.row);
  return out;
}

RepairChanges::RepairChanges(change::Lsn lsn, base::Arena& arena, RepairCounts& counts)
    : arena_(arena), counts_(counts) {
  Event begin;
  begin.type = EventType::begin;
  begin.lsn = lsn;
  begin.time = base::unix_microseconds();
  events_.push_back(begin);
}

void RepairChanges::add(const Suspect& suspect, const Verdict& verdict) {
  RepairCount& count = counts_[suspect.relation->text];
  if (verdict.kind == Verdict::Kind::equal) {
    ++count.equal;
    return;
  }
  const Mending mending = mending_of(suspect, verdict);
  uint64_t& counted = mending.type == EventType::insert   ? count.inserted
                      : mending.type == EventType::update ? count.updated
                                                          : count.deleted;
  counted += mending.copies;
  Event event;
  event.type = mending.type;
  event.relation = suspect.relation;
  event.key = copy(mending.key);
  event.row = copy(mending.row);
  for (uint64_t i = 0; i < mending.copies; ++i) {
    event.ordinal = events_.size();
    events_.push_back(event);
    planned_.push_back({&suspect, &counted});
  }
}

const Suspect* RepairChanges::refused(uint64_t ordinal) {
  const Planned& planned = planned_.at(ordinal - 1);
  --*planned.count;
  ++counts_[planned.of->relation->text].refused;
  return refused_.insert(planned.of).second ? planned.of : nullptr;
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

std::span<Value> RepairChanges::copy(std::span<const Value> from) {
  Value* to = arena_.array<Value>(from.size());
  std::copy(from.begin(), from.end(), to);
  return {to, from.size()};
}

}  // namespace compare
