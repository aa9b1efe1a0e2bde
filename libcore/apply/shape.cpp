#include "apply/shape.hpp"

#include <algorithm>

namespace apply {
namespace {

const change::Column* find(const change::Relation& relation, const std::string& name) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const change::Column& column) { return column.name == name; });
  return found == relation.columns.end() ? nullptr : &*found;
}

}  // namespace

ShapeChange change_of(const change::Relation& was, const change::Relation& is) {
  ShapeChange out;
  for (const change::Column& column : is.columns) {
    const change::Column* const before = find(was, column.name);
    if (before == nullptr)
      out.added.push_back(column);
    else if (before->type != column.type)
      out.retyped.push_back(column);
  }
  for (const change::Column& column : was.columns)
    if (find(is, column.name) == nullptr) out.dropped.push_back(column);
  return out;
}

change::Relation without(const change::Relation& relation, const std::vector<std::string>& columns) {
  change::Relation out = relation;
  out.columns.clear();
  out.key.clear();
  for (uint16_t i = 0; i < relation.columns.size(); ++i) {
    if (std::find(columns.begin(), columns.end(), relation.columns[i].name) != columns.end()) continue;
    if (std::find(relation.key.begin(), relation.key.end(), i) != relation.key.end())
      out.key.push_back(static_cast<uint16_t>(out.columns.size()));
    out.columns.push_back(relation.columns[i]);
  }
  return out;
}

}  // namespace apply
