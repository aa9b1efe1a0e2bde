// The shape of a table in a relation line: its columns and its key. Owns what a shape may be. Only change::Reader calls
// it.
#pragma once

#include <string>
#include <vector>

#include "change/change.hpp"
#include "change/json_cursor.hpp"

namespace change {

class RelationReader {
 public:
  explicit RelationReader(const Place& place) : place_(place) {}

  // A new line.
  void clear();
  // The members of the line, in any order.
  void read_table(base::TableName table) { relation_.table = std::move(table); }
  void read_columns(JsonCursor& json);
  void read_key(JsonCursor& json);
  void read_identity(JsonCursor& json);
  // And once all are read, the relation.
  Relation take();

 private:
  Column read_column(JsonCursor& json);

  const Place& place_;
  Relation relation_;
  struct Named {
    std::string column;
    const char* at;
  };
  std::vector<Named> key_;
  std::string name_;  // a name and a value with escapes
  std::string text_;
};

}  // namespace change
