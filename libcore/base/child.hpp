// A program run once as a filter: fed bytes, its output read, its end waited for. Owns the process, its group and its
// pipes; whatever happens, nothing of the group is left when the call returns. Knows nothing of what the bytes mean.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

struct ChildEnd {
  enum class How {
    exited,     // `code` is its exit code
    signalled,  // `code` is the signal
    hung,       // no end, or nothing taken of its input, for as long as it was given: it was killed
    cancelled,  // it was killed because it was asked for
  };
  How how = How::exited;
  int code = 0;
  size_t unread = 0;  // bytes of its input that it never read; the last one is given when all others are read
};

struct ChildCalls {
  std::function<void(std::string_view)> out;  // what it prints, as it comes; what it throws ends the child and the call
  std::function<void(std::string_view)> err;
};

// Runs argv (argv[0] without a slash is looked for in PATH) with `input` on its stdin. `patience`: seconds that it may
// leave its input untouched, and that it may take after the end of its input; `cancel_fd`: readable when it is to be
// given up (-1: never). Throws Error(config) where there is no such program, Transient
// where the machine has no room for one. SIGPIPE must be ignored by the process.
ChildEnd run_child(const std::vector<std::string>& argv, std::string_view input, double patience, int cancel_fd,
                   const ChildCalls& calls);

}  // namespace base
