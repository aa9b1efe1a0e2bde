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

// `before` returns 0 to let the call happen, -N to fail it with errno N; for pwrite how many bytes to write at most,
// for a sync 1 to leave it out and call it done. `after` is told of calls that succeeded. Both may be called from
// several threads, one at a time.
struct Watch {
  explicit Watch(std::function<long(const Call&)> before, std::function<void(const Call&)> after = {});
  ~Watch();
};

// For tests of what is in files, not of what is on the disk: thousands of syncs take minutes.
struct NoSync : Watch {
  NoSync() : Watch([](const Call& call) { return call.kind == Call::pwrite ? 0L : 1L; }) {}
};

}  // namespace faults
