#include "change/relation_line.hpp"

#include <algorithm>

#include "change/forms.hpp"
#include "change/rows.hpp"
#include "change/shapes.hpp"

namespace change {

void RelationReader::clear() {
  relation_ = Relation{};
  key_.clear();
}

void RelationReader::read_columns(JsonCursor& json) {
  std::vector<Column>& columns = relation_.columns;
  json.each('[', "an array", [&] {
    const char* at = json.at();
    if (columns.size() == max_columns) place_.fail(at, "more columns than a table may have");
    Column column = read_column(json);
    for (const Column& other : columns)
      if (other.name == column.name) place_.fail(at, "column `" + shown(column.name) + "` twice");
    columns.push_back(std::move(column));
  });
}

Column RelationReader::read_column(JsonCursor& json) {
  const char* const column_at = json.at();
  Column column;
  json.each('{', "an object", [&] {
    const char* at = json.at();
    const std::string_view member = json.name(name_);
    std::string* const to = member == "name"         ? &column.name
                            : member == "type"       ? &column.type
                            : member == "definition" ? &column.definition
                            : member == "default"    ? &column.default_value
                            : member == "missing"    ? &column.missing
                                                     : nullptr;
    if (to == nullptr) place_.fail(at, "unknown member `" + shown(member) + "` of a column");
    if (!to->empty()) place_.fail(at, "member `" + shown(member) + "` twice");
    const bool is_name = to == &column.name;
    at = json.at();
    *to = json.string(text_, "a string");
    if (to->empty() || (is_name && to->size() > 63))
      place_.fail(at, is_name ? "not a column's name" : "an empty string");
  });
  if (column.name.empty() || column.type.empty()) place_.fail(column_at, "a column needs a name and a type");
  column.json = json_kind(column.type);
  return column;
}

void RelationReader::read_key(JsonCursor& json) {
  json.each('[', "an array", [&] {
    const char* at = json.at();
    if (key_.size() == max_columns) place_.fail(at, "more columns than a table may have");
    key_.push_back({std::string(json.string(text_, "a column name")), at});
  });
}

void RelationReader::read_identity(JsonCursor& json) {
  const char* at = json.at();
  const std::string_view identity = json.string(text_, "a string");
  const auto* const found = std::find(std::begin(identity_names), std::end(identity_names), identity);
  if (found == std::end(identity_names)) place_.fail(at, "identity is one of default, index, full, nothing");
  relation_.identity = static_cast<Identity>(found - std::begin(identity_names));
}

Relation RelationReader::take() {
  relation_.text = relation_.table.text();
  for (const auto& [column, at] : key_) {
    size_t i = 0;
    while (i < relation_.columns.size() && relation_.columns[i].name != column) ++i;
    if (i == relation_.columns.size()) place_.fail(at, "no column `" + shown(column) + "` in " + relation_.text);
    if (std::find(relation_.key.begin(), relation_.key.end(), i) != relation_.key.end())
      place_.fail(at, "column `" + shown(column) + "` twice in the key");
    relation_.key.push_back(static_cast<uint16_t>(i));
  }
  std::sort(relation_.key.begin(), relation_.key.end());
  const char* const start = place_.line.data();
  if (relation_.identity == Identity::full && relation_.key.size() != relation_.columns.size())
    place_.fail(start, "the identity is full, so every column belongs to the key");
  if (relation_.identity == Identity::nothing && !relation_.key.empty())
    place_.fail(start, "the identity is nothing, so there is no key");
  return std::move(relation_);
}

}  // namespace change
