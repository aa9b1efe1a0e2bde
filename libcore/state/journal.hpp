// A file of JSON Lines that only grows: what a tool wants to be read later. Owns the file; when it is full it becomes
// NAME.1, in place of the one before. One writer at a time; readers may follow it (tail -F).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/files.hpp"

namespace state {

class Journal {
 public:
  // Makes nothing before the first line. The directory and its parents are made when they are missing.
  explicit Journal(std::filesystem::path file, uint64_t max_bytes = uint64_t{64} << 20)
      : file_(std::move(file)), max_bytes_(max_bytes) {}

  void add(std::string_view line);     // without its newline; held back until there are many, or sync()
  void sync();                         // all of them are on stable storage when it returns
  void forget() { waiting_.clear(); }  // those that are held back will not come
  const std::filesystem::path& file() const { return file_; }

 private:
  void write();
  std::filesystem::path file_;
  uint64_t max_bytes_;
  base::Fd fd_;
  std::string waiting_;
  bool unsynced_ = false;
};

}  // namespace state
