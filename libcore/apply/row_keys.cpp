#include "apply/row_keys.hpp"

#include <algorithm>

#include "apply/fold.hpp"

namespace apply {
namespace {

using change::Value;
using change::ValueKind;

// `places` are columns of its relation.
std::vector<uint64_t> keys_at(const Operation& operation, const std::vector<uint16_t>& places) {
  const change::Relation& relation = *operation.relation;
  const bool has_key = operation.key.size() == relation.key.size();
  std::vector<Value> old;
  std::vector<Value> now;
  for (const uint16_t place : places) {
    const auto in_key = std::ranges::find(relation.key, place) - relation.key.begin();
    const bool keyed = has_key && in_key < static_cast<std::ptrdiff_t>(relation.key.size());
    const Value given = operation.row.empty() ? Value() : operation.row[place];
    old.push_back(keyed                                         ? operation.key[static_cast<size_t>(in_key)]
                  : operation.type == change::EventType::insert ? given
                                                                : Value());
    now.push_back(given.kind == ValueKind::absent ? old.back() : given);
  }
  std::vector<uint64_t> out;
  const auto take = [&out](const std::vector<Value>& values) {
    const bool known = std::ranges::none_of(values, [](const Value& v) { return v.kind == ValueKind::absent; });
    if (known && (out.empty() || out[0] != key_hash(values))) out.push_back(key_hash(values));
  };
  if (!places.empty()) take(old);
  if (!places.empty() && operation.type == change::EventType::update) take(now);
  return out;
}

}  // namespace

std::vector<uint64_t> row_keys(const Operation& operation) {
  if (operation.key.size() != operation.relation->key.size()) return {};
  return keys_at(operation, operation.relation->key);
}

std::vector<uint64_t> row_keys(const Operation& operation, const std::vector<std::string>& columns) {
  const std::vector<change::Column>& all = operation.relation->columns;
  std::vector<uint16_t> places;
  for (const std::string& name : columns) {
    const auto found = std::ranges::find(all, name, &change::Column::name);
    if (found == all.end()) return {};
    places.push_back(static_cast<uint16_t>(found - all.begin()));
  }
  return keys_at(operation, places);
}

std::vector<std::string> key_names(const change::Relation& relation) {
  std::vector<std::string> out;
  for (const uint16_t column : relation.key) out.push_back(relation.columns[column].name);
  return out;
}

}  // namespace apply
