// The shapes of tables that a stream has told so far, and the quick way from a column's name to its place. Owns every
// Relation that events point to. Only change::Reader calls it.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "change/change.hpp"

namespace change {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// As PostgreSQL limits it (MaxHeapAttributeNumber).
constexpr size_t max_columns = 1600;

struct Shape {
  static constexpr size_t none = SIZE_MAX;
  explicit Shape(Relation r);
  Shape(const Shape&) = delete;

  size_t find(std::string_view column) const;  // none if there is no such column

  Relation relation;
  std::string quoted;  // relation.text as the writer spells it: `"public.images"`
  struct Place {
    std::string label;   // `"name":`, as the writer spells a column in a row
    JsonKind json;       // the column's
    uint16_t key_place;  // where it is in the key, or key.size()
    uint16_t next;       // the column that came after it when last looked
  };
  // One for each column, and one more whose `next` is the column that came first. Rows of one table name their columns
  // in one order, the writer's or that of a program in between, so `next` is nearly always right.
  std::vector<Place> places;

 private:
  std::unordered_map<std::string_view, uint16_t> columns_;
};

class Shapes {
 public:
  // The relation becomes the one in force for its table; an equal one stays itself.
  const Shape& keep(Relation relation);
  // The one in force for a table, by the text that TableName::text() gives; nullptr if there is none.
  Shape* find(std::string_view table_text);
  Shape* last() const { return last_; }  // what find() last found; nullptr if that is no longer in force
  std::vector<const Relation*> all() const;

 private:
  std::deque<Shape> shapes_;  // all that ever were
  std::unordered_map<std::string, Shape*, TextHash, std::equal_to<>> current_;
  Shape* last_ = nullptr;
};

}  // namespace change
