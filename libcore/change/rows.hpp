// The rows in the lines of insert, update and delete: "new", "key" and "unchanged". Owns what a value may be for its
// column's type. Only change::Reader calls it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "change/json_cursor.hpp"
#include "change/shapes.hpp"

namespace change {

// A name as messages show it: only as far as a person reads it, and never with bytes that upset a terminal.
std::string shown(std::string_view text);

class RowReader {
 public:
  explicit RowReader(const Place& place) : place_(place) {}

  // A new line: nothing is unchanged yet.
  void clear() { unchanged_.clear(); }
  // {"column":value,…} into `row`, which has an absent value for each column of the table. Texts go to `to`, which
  // moves on; there is room for the rest of the line and JsonCursor::beyond more.
  void read_row(JsonCursor& json, Shape& shape, std::span<Value> row, char*& to);
  // The same for the columns of the key: all of them, and no other.
  void read_key(JsonCursor& json, const Shape& shape, std::span<Value> key, char*& to);
  // ["column",…], and once the row is read too: none of them is in it.
  void read_unchanged(JsonCursor& json, const Shape& shape);
  void check_unchanged(const Shape& shape, std::span<const Value> row);

 private:
  size_t column_of(const Shape& shape, std::string_view column, const char* at) const;
  size_t read_column(JsonCursor& json, const Shape& shape);
  Value read_value(JsonCursor& json, const Column& column, char*& to) const;
  Value read_word(JsonCursor& json, const Column& column, char* to) const;

  const Place& place_;
  std::string name_;  // a name with escapes
  struct Named {
    size_t column;
    const char* at;
  };
  std::vector<Named> unchanged_;
};

}  // namespace change
