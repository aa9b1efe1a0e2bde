#include "base/feed.hpp"

#include <exception>

#include "base/child.hpp"

namespace base {

std::string feed_program(const std::vector<std::string>& argv, std::string_view lines, double patience, int cancel_fd,
                         const std::string& end) {
  try {
    const auto ignore = [](std::string_view) {};
    const ChildEnd ended = run_child(argv, lines, patience, cancel_fd, {ignore, ignore});
    switch (ended.how) {
      case ChildEnd::How::hung:
        return argv[0] + " hangs";
      case ChildEnd::How::cancelled:
        return argv[0] + " was not done when " + end + " ended";
      case ChildEnd::How::signalled:
        return argv[0] + " died of signal " + std::to_string(ended.code);
      case ChildEnd::How::exited:
        break;
    }
    if (ended.code != 0) return argv[0] + " ended with " + std::to_string(ended.code);
    return ended.unread > 0 ? argv[0] + " did not read all of it" : "";
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

}  // namespace base
