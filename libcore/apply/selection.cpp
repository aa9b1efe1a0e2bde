#include "apply/selection.hpp"

#include <algorithm>
#include <utility>

#include "apply/shape.hpp"
#include "base/log.hpp"

namespace apply {
namespace {

// `places` of `values`; all of them where it names none.
std::span<change::Value> some(std::span<change::Value> values, const std::vector<uint16_t>& places,
                              base::Arena& arena) {
  if (values.empty() || places.empty() || places.size() == values.size()) return values;
  change::Value* const out = arena.array<change::Value>(places.size());
  for (size_t i = 0; i < places.size(); ++i) out[i] = values[places[i]];
  return {out, places.size()};
}

}  // namespace

Selection Selection::all_but(std::set<std::string> tables, LeftOut columns,
                             std::optional<std::set<std::string>> synced) {
  Selection out;
  out.synced_ = std::move(synced);
  out.without_ = std::move(tables);
  out.left_out_ = std::move(columns);
  return out;
}

Selection Selection::only(const std::string& table, LeftOut columns) {
  Selection out;
  out.only_ = table;
  out.left_out_ = std::move(columns);
  return out;
}

// A table that was renamed, or taken out of sync_tables, while its changes were on their way here.
bool Selection::is_synced(const std::string& table) {
  if (!synced_ || synced_->contains(table)) return true;
  if (told_.insert(table).second)
    base::log(base::Level::warn,
              "the queue has changes of " + table + ", which is none of sync_tables; they are left out");
  return false;
}

const Selection::Cut& Selection::cut_of(const change::Relation& relation) {
  const auto [at, is_new] = cuts_.try_emplace(&relation);
  Cut& cut = at->second;
  if (!is_new || !takes(relation.text)) return cut;
  const auto left_out = left_out_.find(relation.text);
  if (left_out == left_out_.end()) {
    cut.shape = &relation;
    return cut;
  }
  const std::vector<std::string>& names = left_out->second;
  const auto stays = [&](uint16_t column) {
    return std::find(names.begin(), names.end(), relation.columns[column].name) == names.end();
  };
  for (uint16_t i = 0; i < relation.columns.size(); ++i)
    if (stays(i)) cut.columns.push_back(i);
  for (uint16_t i = 0; i < relation.key.size(); ++i)
    if (stays(relation.key[i])) cut.key.push_back(i);
  cut.shape = &shapes_.emplace_back(without(relation, names));
  return cut;
}

const change::Relation* Selection::shape(const change::Relation& relation) {
  if (&relation == last_) return last_shape_;
  last_ = &relation;
  const bool all = only_.empty() && without_.empty() && left_out_.empty() && !synced_;
  return last_shape_ = all ? &relation : cut_of(relation).shape;
}

std::span<change::Value> Selection::row(const change::Relation& relation, std::span<change::Value> row,
                                        base::Arena& arena) {
  return left_out_.empty() ? row : some(row, cut_of(relation).columns, arena);
}

std::span<change::Value> Selection::key(const change::Relation& relation, std::span<change::Value> key,
                                        base::Arena& arena) {
  return left_out_.empty() ? key : some(key, cut_of(relation).key, arena);
}

}  // namespace apply
