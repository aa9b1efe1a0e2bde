// What a comparison tells of each table beside the changes: a line of the summary, a line of JSON in the file that was
// asked for, and at the end the figures and the exit code. Owns these lines and what they add up to. For diff.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "change/change.hpp"
#include "compare/comparison.hpp"
#include "compare/diff.hpp"
#include "compare/paused.hpp"
#include "compare/table_diff.hpp"

namespace compare {

class DiffReport {
 public:
  // The options have to stay. Throws as base::open_file() where the file cannot be made.
  explicit DiffReport(const Options& options);

  // The comparison that follows is this one; it has to stay.
  void begin(Comparison& comparison);
  void add(const change::Relation& relation, const TableResult& result);
  // The table was paused while it was compared.
  void add_paused(const std::string& table, const Paused& paused);
  // Once, when all tables are done: also tells those that the comparison went without. `received`: bytes.
  base::Exit end(uint64_t received);

 private:
  void leave_out(const std::string& table, const char* result, const std::string& why);
  void write(const std::string& line);

  const Options& options_;
  base::Fd file_;  // none where it was not asked for
  const Comparison* comparison_ = nullptr;
  std::string lsn_;
  std::string time_;
  bool exact_ = false;
  const double began_;
  size_t tables_ = 0;
  bool equal_ = true;
  uint64_t rows_ = 0;
  std::string unsettled_;
};

}  // namespace compare
