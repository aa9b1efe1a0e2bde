// Rows on their way into a table of the standby by COPY: in the binary form while every value has one, else as text.
// The server works on the first rows while the rest is still being put into their form. One COPY at a time a session.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "pg/binary.hpp"
#include "pg/session.hpp"

namespace apply {

class RowCopy {
 public:
  // `into`: a quoted table, with or without its list of columns. `forms`: a column each. `grouped`: an integer column
  // comes first.
  RowCopy(pg::Session& session, std::string into, const std::vector<pg::Binary>& forms, bool grouped);

  // Absent values become NULL. Throws as Session does, here or at finish().
  void add(std::span<const change::Value> row, uint32_t group = 0);
  // Returns how many rows the table took: a trigger may keep one out.
  uint64_t finish();

 private:
  bool append_binary_row(std::span<const change::Value> row, uint32_t group);
  void append_text_row(std::span<const change::Value> row, uint32_t group);
  void open();

  pg::Session& session_;
  const std::string into_;
  const std::vector<pg::Binary>& forms_;
  const bool grouped_;
  bool binary_;
  bool open_ = false;
  uint64_t taken_ = 0;
  std::string waiting_;  // bytes not yet sent
};

}  // namespace apply
