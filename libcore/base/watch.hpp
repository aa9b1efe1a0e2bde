// Waiting for a file to change, so that a reader wakes with the writer and not with a timer.
#pragma once

#include <filesystem>

#include "base/files.hpp"

namespace base {

// inotify on one directory: any write, rename or removal in it wakes the waiter. Where inotify is not to be had
// (limits, some network file systems) wait() degrades to its timeout; so callers must look again after every return.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(const std::filesystem::path& directory);
  // Returns at a change since the last call, a request to stop, or after `seconds`.
  void wait(double seconds);
  // For a poll(2) of one's own: readable when something changed; drain() then. -1 where inotify is not to be had.
  int fd() const { return fd_.get(); }
  void drain();

 private:
  Fd fd_;
};

}  // namespace base
