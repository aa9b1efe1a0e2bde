// What a comparison found, as the change lines that would mend the standby: one transaction at the cut's LSN, in which
// each table's deletes come before its updates and those before its inserts, so that unique values are free when they
// are taken. Owns that order, and the file that updates and inserts wait in where they are many. Nothing is printed
// where nothing differs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "change/change.hpp"
#include "compare/spill.hpp"

namespace compare {

class ChangeLines {
 public:
  ChangeLines(std::function<void(std::string_view)> print, change::Source source, change::Lsn cut);

  void begin_table(const change::Relation& relation);
  // As change::append_*(). Throws Error(data) for a row that no line can hold.
  void remove(std::span<const change::Value> key);
  void update(std::span<const change::Value> key, std::span<const change::Value> row);
  void insert(std::span<const change::Value> key, std::span<const change::Value> row);
  void copy(const base::TableName& table);
  void end_table();
  // The commit. Without it nobody applies what came before.
  void finish();

 private:
  void begin();
  void begin_rows();
  void check_line() const;
  void print(std::string_view lines);

  std::function<void(std::string_view)> print_;
  change::Source source_;
  change::Lsn cut_;
  const change::Relation* relation_ = nullptr;
  bool began_ = false;
  bool relation_printed_ = false;
  uint64_t changes_ = 0;
  std::string line_;
  std::string waiting_;  // on its way out
  Spill updates_;
  Spill inserts_;
};

}  // namespace compare
