// A line on a terminal that tells how far something is and is written over by the next one. Owns that line, and nothing
// where stderr is no terminal. One thread.
#pragma once

#include <string>

namespace cli {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();  // the line goes
  bool is_shown() const { return shown_; }
  void show(const std::string& text);
  // Before anything else is written to the terminal.
  void clear();

 private:
  bool shown_;
  bool standing_ = false;
};

}  // namespace cli
