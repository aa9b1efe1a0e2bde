#include "base/watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "base/stop.hpp"

namespace base {

DirectoryWatch::DirectoryWatch(const std::filesystem::path& directory)
    : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (fd_ && ::inotify_add_watch(fd_.get(), directory.c_str(), IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE) < 0)
    fd_.reset();
}

void DirectoryWatch::wait(double seconds) {
  pollfd fds[2] = {{stop_fd(), POLLIN, 0}, {fd_.get(), POLLIN, 0}};
  ::poll(fds, 2, static_cast<int>(std::min(seconds * 1000, 1e9)));  // a negative fd is ignored by poll
  drain();
}

void DirectoryWatch::drain() {
  char events[4096];
  while (fd_ && ::read(fd_.get(), events, sizeof events) > 0) {
  }
}

}  // namespace base
