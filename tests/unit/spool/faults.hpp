// The system calls of the write path, taken over in this program: a test sees them in their order, and makes them fail.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace faults {

// What is called, on which file (its path), with which bytes. `bytes` is for pwrite only.
struct Call {
  enum Kind { pwrite, fdatasync, fsync } kind;
  std::string path;
  std::string bytes;
  off_t offset = 0;
};

// `before` returns 0 to let the call happen, -N to fail it with errno N, or for pwrite how many bytes to write at most.
// `after` is told of calls that succeeded. Both may be called from several threads, one at a time.
struct Watch {
  explicit Watch(std::function<long(const Call&)> before, std::function<void(const Call&)> after = {});
  ~Watch();
};

}  // namespace faults
