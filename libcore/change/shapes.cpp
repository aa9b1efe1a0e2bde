#include "change/shapes.hpp"

#include "change/writer.hpp"

namespace change {

Shape::Shape(Relation r) : relation(std::move(r)) {
  const auto key_size = static_cast<uint16_t>(relation.key.size());
  append_json_string(quoted, relation.text);
  for (const Column& column : relation.columns) {
    const auto i = static_cast<uint16_t>(places.size());
    columns_.emplace(column.name, i);
    Place& place = places.emplace_back(Place{{}, column.json, key_size, static_cast<uint16_t>(i + 1)});
    append_json_string(place.label, column.name);
    place.label += ':';
  }
  places.push_back({{}, JsonKind::string, key_size, 0});
  for (uint16_t k = 0; k < key_size; ++k) places[relation.key[k]].key_place = k;
}

size_t Shape::find(std::string_view column) const {
  const auto found = columns_.find(column);
  return found == columns_.end() ? none : found->second;
}

const Shape& Shapes::keep(Relation relation) {
  Shape*& current = current_[relation.text];
  if (current == nullptr || current->relation != relation) {
    current = &shapes_.emplace_back(std::move(relation));
    last_ = nullptr;
  }
  return *current;
}

Shape* Shapes::find(std::string_view table_text) {
  if (last_ != nullptr && last_->relation.text == table_text) return last_;
  const auto found = current_.find(table_text);
  return found == current_.end() ? nullptr : last_ = found->second;
}

std::vector<const Relation*> Shapes::all() const {
  std::vector<const Relation*> relations;
  for (const auto& [text, shape] : current_) relations.push_back(&shape->relation);
  return relations;
}

}  // namespace change
