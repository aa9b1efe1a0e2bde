// Lines out of a stream of bytes, whatever it comes from. Owns the buffer; knows nothing of JSON. Each line is
// followed by at least 64 readable bytes, so that a parser can look at many bytes at once and needs no copy.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

class LineBuffer {
 public:
  // Reads up to `size` bytes to `to`; 0 means that there are no more now.
  using Source = std::function<size_t(char* to, size_t size)>;

  // `max_line`: bytes a line may have; a longer one throws Error(data) naming `name` and the line.
  LineBuffer(Source source, size_t max_line, std::string name);

  // The next whole line without its newline, valid until the next call; false when the source has no more now
  // (a partial line stays for later).
  bool next(std::string_view& line);
  // Whether a next whole line is in the buffer already, so that next() would not read.
  bool ready() const;

  size_t line_number() const { return line_number_; }  // of the line last returned, from 1
  // Bytes of an unfinished line at the end of what was read.
  size_t partial() const { return end_ - begin_; }
  // What was read and not yet returned is dropped; the source has been moved elsewhere.
  void clear();

 private:
  Source source_;
  size_t max_line_;
  std::string name_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t scanned_ = 0;
  size_t line_number_ = 0;

  void make_room();
  [[noreturn]] void refuse_long() const;
};

}  // namespace base
