#include "base/stop.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

#include "base/error.hpp"

namespace base {
namespace {

std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");
int pipe_ends[2] = {-1, -1};

void on_signal(int) {
  const int interrupted = errno;  // the code that the signal met may be about to look at it
  request_stop();
  errno = interrupted;
}

}  // namespace

void install_stop_signals() {
  if (pipe_ends[0] < 0 && ::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0) throw_errno("cannot make a pipe");
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void request_stop() {
  requested.store(true);
  if (pipe_ends[1] >= 0) [[maybe_unused]]
    const ssize_t ignored = ::write(pipe_ends[1], "s", 1);
}

bool stop_requested() { return requested.load(std::memory_order_relaxed); }

int stop_fd() { return pipe_ends[0]; }

bool sleep_or_stop(double seconds) {
  if (stop_requested()) return true;
  pollfd wait{pipe_ends[0], POLLIN, 0};
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0 || stop_requested()) return stop_requested();
    ::poll(&wait, pipe_ends[0] >= 0 ? 1 : 0, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
  }
}

}  // namespace base
