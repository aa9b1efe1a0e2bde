// The file of --report: one JSON line for each operation, with what became of it, written when its batch is. Owns the
// file; lines of a batch that fails are taken back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "apply/incidents.hpp"
#include "apply/piece.hpp"
#include "base/files.hpp"

namespace apply {

class Report {
 public:
  // Writes nothing at all when `file` is empty. `repairs`: goes on after what is there, and says "repaired" where
  // another one says "applied".
  explicit Report(const std::filesystem::path& file, bool repairs = false);
  ~Report();
  void add(const Piece& piece, const Results& results);  // a piece that was written, not yet committed
  void commit();
  void roll_back();

 private:
  void flush();
  std::string name_;
  const char* done_;
  base::Fd fd_;
  std::string lines_;
  long committed_ = 0;  // bytes that stand
  long written_ = 0;
};

}  // namespace apply
