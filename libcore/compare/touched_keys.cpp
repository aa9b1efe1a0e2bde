#include "compare/touched_keys.hpp"

#include <algorithm>

namespace compare {
namespace {

using change::Event;
using change::EventType;
using change::Relation;
using change::Value;
using change::ValueKind;

// A column's place in the stream's shape of the table and in its key; -1: it is not there.
int column_of(const Relation& relation, const std::string& name) {
  const auto found = std::ranges::find(relation.columns, name, &change::Column::name);
  return found == relation.columns.end() ? -1 : static_cast<int>(found - relation.columns.begin());
}

// Absent where the line does not have it.
Value before(const Event& event, int column) {
  const auto found = std::ranges::find(event.relation->key, column);
  if (event.key.empty() || found == event.relation->key.end()) return {};
  return event.key[static_cast<size_t>(found - event.relation->key.begin())];
}

Value after(const Event& event, int column) {
  const Value& value = event.row[static_cast<size_t>(column)];
  return value.kind == ValueKind::absent ? before(event, column) : value;
}

}  // namespace

bool TouchedKeys::add(const std::vector<Value>& key) {
  std::string bytes;
  for (const Value& value : key) {
    if (value.kind != ValueKind::text) return false;
    bytes += std::to_string(value.size) + ' ';
    bytes += value.text();
  }
  if (!known_.insert(std::move(bytes)).second) return true;
  std::vector<Value>& own = keys_.emplace_back();
  for (const Value& value : key) own.push_back(Value::of({arena_.copy(value.text()), value.size}));
  return true;
}

bool TouchedKeys::add(const Event& event) {
  std::vector<Value> old;
  std::vector<Value> now;
  bool has_old = true;
  for (const uint16_t place : relation_->key) {
    const int column = column_of(*event.relation, relation_->columns[place].name);
    if (column < 0) return false;
    if (event.type != EventType::remove) now.push_back(after(event, column));
    if (event.type == EventType::insert) continue;
    old.push_back(before(event, column));
    has_old = has_old && old.back().kind == ValueKind::text;
  }
  if (event.type == EventType::insert) return add(now);
  return has_old && add(old) && (event.type == EventType::remove || add(now));
}

void TouchedKeys::clear() {
  keys_.clear();
  known_.clear();
  arena_.reset();
}

}  // namespace compare
