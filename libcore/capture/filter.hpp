// A program that sees every change line on its way and keeps those that it prints. Owns its runs: one for each run of
// the stream (a few MiB, or the changes of a moment), so that it may buffer as it likes and its end proves that it is
// done. Marks go around it. One thread calls; a thread of the filter's own waits for the program.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/kept_lines.hpp"
#include "change/lsn.hpp"

namespace capture {

class Filter {
 public:
  // `patience`: seconds that the program may leave its input untouched, and take after its end.
  Filter(std::vector<std::string> argv, double patience);
  ~Filter();  // ends a program that still runs; what was not taken is dropped

  // Runs it with no input at all: throws Error(config) where it can't be found, fails or prints something.
  static void try_out(const std::vector<std::string>& argv, double patience);

  // Runs it on `chunk` and waits: for each of its changes whether it was printed. For lines that no stream brings.
  // Throws as step(), Error(try_later) where a stop was requested.
  static std::vector<bool> ask(const std::vector<std::string>& argv, double patience, const FilterChunk& chunk);

  // What the stream brings, in its order; lines with their newlines.
  void mark(std::string_view lines);
  void begin(std::string_view line);
  void change(std::string_view line, change::Lsn lsn, uint64_t ordinal);
  void commit(change::Lsn lsn, change::Lsn end_lsn);

  bool full() const;  // put no more in until something came out
  bool idle() const;  // nothing is in it
  // Appends what came out. Starts the program when enough waits, or for long enough, or `now`. Throws Error(data) for
  // what stopped the program, or what it printed; nothing of that run comes out.
  void step(std::string& out, bool now);
  // Says how many changes it has kept since the last time, if it was given any.
  void tell();
  // Seconds until step() has something to start; below zero when only the program's end, or more input, matters.
  double due_in() const;
  // Readable when a run has ended; for poll(2).
  int wake_fd() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace capture
