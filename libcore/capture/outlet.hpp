// Lines on their way to stdout: a thread of its own writes them, so that the stream's loop never blocks on a full pipe
// and can go on telling the primary that it lives. Owns the queue between the two; knows nothing of lines.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace capture {

class Outlet {
 public:
  // Writes to `fd`; `capacity` bytes may wait. A pipe is made non-blocking while the outlet lives.
  Outlet(int fd, size_t capacity);
  ~Outlet();

  // Takes `bytes` whole (and clears it). Throws PipeClosed when the reader of a pipe is gone.
  void put(std::string& bytes);
  bool full() const;  // more than `capacity` waits: put no more until some is written
  // Readable when something was written since the last drain(); for poll(2).
  int wake_fd() const;
  void drain();
  // For poll(2) with no events asked for: POLLERR tells that the reader is gone before the next put() would.
  int fd() const;
  [[noreturn]] static void reader_gone();
  // Nothing more will be put: waits until all is written, at most `seconds`, and closes `fd` then. False when some is
  // left: call again, or let the destructor drop it. Throws as put() does.
  bool close(double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace capture
