// What a comparison found, as the change lines that would mend the standby: one transaction at the cut's LSN. All
// deletes come first, table by table when all of a table are found; then, for the last table first, its updates and its
// inserts. So unique values are free when they are taken, and with tables that reference others begun before those, no
// row goes before what references it, and none comes before what it references. Owns that order, and the file that they
// wait in where they are many. Nothing is printed where nothing differs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "change/change.hpp"
#include "compare/spill.hpp"

namespace compare {

// A row that no line can hold: `data`.
class TooLong : public base::Error {
 public:
  using base::Error::Error;
};

class ChangeLines {
 public:
  // `tables`: how many will be begun.
  ChangeLines(std::function<void(std::string_view)> print, change::Source source, change::Lsn cut, size_t tables);

  // The one before is complete. The relation has to stay until finish().
  void begin_table(const change::Relation& relation);
  // As change::append_*(). Throws TooLong.
  void remove(std::span<const change::Value> key);
  void update(std::span<const change::Value> key, std::span<const change::Value> row);
  void insert(std::span<const change::Value> key, std::span<const change::Value> row);
  void copy();  // of the whole table
  // A line that one of the three above would write.
  void add(change::EventType type, std::string_view line);
  // Of the table that was begun last nothing is printed, after all.
  void take_back();
  // What waited, and the commit. Without it nobody applies what came before.
  void finish();

 private:
  void begin();
  void end_table();
  void print_relation(size_t table);
  void print(std::string_view lines);

  std::function<void(std::string_view)> print_;
  change::Source source_;
  change::Lsn cut_;
  struct Table {
    const change::Relation* relation;
    bool printed;
    uint64_t changes = 0;
  };
  std::vector<Table> tables_;
  bool began_ = false;
  std::string line_;
  std::string out_;  // on its way
  Spill waiting_;    // three parts a table: updates, inserts, deletes
};

}  // namespace compare
