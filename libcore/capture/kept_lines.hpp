// What a filter program is given, what it keeps of it, and the stream that comes out. Owns the one rule that makes a
// filter safe: it may leave lines out, and nothing else. Pure; starts no process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "change/lsn.hpp"

namespace capture {

// A run of the stream: lines for the program, and marks, which go around it.
class FilterChunk {
 public:
  // Lines that are not the program's, each with its newline.
  void mark(std::string_view lines);
  // A begin: the count of what is kept starts anew.
  void begin(std::string_view line);
  // A change's line with its newline; its id is LSN#ORDINAL.
  void change(std::string_view line, change::Lsn lsn, uint64_t ordinal);
  // The commit line is written when it is known how many changes are left.
  void commit(change::Lsn lsn, change::Lsn end_lsn);

  bool empty() const { return marks_.empty() && lines_.empty(); }
  size_t bytes() const { return input_.size() + mark_bytes_; }
  size_t changes() const { return lines_.size(); }
  const std::string& input() const { return input_; }  // the changes' lines, with "operation_id" as last member
  std::string_view line(size_t i) const;               // of the input, without its newline
  std::string_view id(size_t i) const;

  // The stream again, without the changes that are not in `kept`; `in_transaction` counts on from the chunk before.
  std::string without(const std::vector<bool>& kept, uint64_t& in_transaction) const;

 private:
  struct Mark {
    size_t after = 0;  // so many changes
    bool begins = false;
    bool commits = false;
    std::string lines;
    change::Lsn lsn;
    change::Lsn end_lsn;
  };
  struct Line {
    size_t start = 0;
    size_t original = 0;  // bytes of it before the id was put in
    size_t size = 0;
  };
  Mark& add_mark();
  std::string input_;
  std::vector<Line> lines_;
  std::vector<Mark> marks_;
  size_t mark_bytes_ = 0;
};

// Takes what the program prints, and finds each line among those that it was given, in their order. Throws Error(data)
// for all else, without repeating it: it is the user's data.
class KeptLines {
 public:
  KeptLines(const FilterChunk& chunk, std::string program);

  void take(std::string_view bytes);
  // At the end of the output: it may lack its last newline.
  void finish();
  const std::vector<bool>& kept() const { return kept_; }
  bool printed_any() const { return number_ > 0 || !partial_.empty(); }

 private:
  void take_line(std::string_view line);
  [[noreturn]] void refuse(const std::string& what) const;

  const FilterChunk& chunk_;
  std::string program_;
  std::vector<bool> kept_;
  size_t next_ = 0;    // the first line that may still come
  size_t number_ = 0;  // of the line that is looked at
  size_t longest_ = 0;
  std::string partial_;
};

}  // namespace capture
