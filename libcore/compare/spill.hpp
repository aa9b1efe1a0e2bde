// Records put aside in parts, in memory as far as they fit, else in one file without a name in the temporary directory
// ($TMPDIR). Owns that file, which is gone with the object however the process ends. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"

namespace compare {

class Spill {
 public:
  // `memory`: bytes that may wait before they go to the file.
  Spill(size_t parts, size_t memory) : parts_(parts), memory_(memory) {}

  // Throws Error(cannot_create) where the disk is full, Error(no_right) or Error(io) where the directory is none to
  // write in.
  void add(size_t part, std::string_view record);
  // Everything that was added to the part, in its order, some records a time; a record is never cut.
  void read(size_t part, const std::function<void(std::string_view)>& take);
  // The part is empty again; what it took of the file is not given back.
  void drop(size_t part);
  bool empty(size_t part) const { return parts_[part].waiting.empty() && parts_[part].pieces.empty(); }
  size_t parts() const { return parts_.size(); }

 private:
  void write_out();

  struct Piece {
    uint64_t begin;
    uint64_t size;
  };
  struct Part {
    std::string waiting;
    std::vector<Piece> pieces;
  };
  std::vector<Part> parts_;
  size_t memory_;
  size_t waiting_ = 0;
  uint64_t file_size_ = 0;
  base::Fd file_;
};

}  // namespace compare
