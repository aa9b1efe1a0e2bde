#include "capture/outlet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/files.hpp"

namespace capture {

struct Outlet::State {
  int fd;
  size_t capacity;
  base::Fd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};  // the writer wakes the loop
  base::Fd end{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};   // the loop ends the writer, even one that waits for a pipe
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> waiting;
  size_t bytes = 0;
  bool closing = false;
  bool ended = false;
  int failed = 0;  // errno
  std::thread writer;

  void check() const {
    if (failed == EPIPE) reader_gone();
    if (failed == 0) return;
    errno = failed;
    base::throw_errno("cannot write to stdout");
  }

  // False at a failure or when ended from outside.
  bool write(const std::string& chunk) {
    size_t done = 0;
    while (done < chunk.size()) {
      const ssize_t n = ::write(fd, chunk.data() + done, chunk.size() - done);
      if (n > 0) {
        done += static_cast<size_t>(n);
        continue;
      }
      if (errno != EAGAIN && errno != EINTR) {
        const std::lock_guard lock(mutex);
        failed = errno;
        return false;
      }
      pollfd fds[2] = {{fd, POLLOUT, 0}, {end.get(), POLLIN, 0}};
      ::poll(fds, 2, -1);
      if (fds[1].revents != 0) return false;
    }
    return true;
  }

  void run() {
    for (;;) {
      std::string chunk;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !waiting.empty() || closing; });
        if (waiting.empty()) break;
        chunk = std::move(waiting.front());
        waiting.pop_front();
      }
      const bool written = write(chunk);
      {
        const std::lock_guard lock(mutex);
        bytes -= chunk.size();
        if (!written) break;
      }
      ::eventfd_write(wake.get(), 1);
    }
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    changed.notify_all();
    ::eventfd_write(wake.get(), 1);
  }
};

Outlet::Outlet(int fd, size_t capacity) : state_(std::make_unique<State>()) {
  state_->fd = fd;
  state_->capacity = capacity;
  struct stat what {};
  if (::fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode)) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    ::fcntl(fd, F_SETPIPE_SZ, 1 << 20);  // fewer, larger writes; a refusal (pipe-user-pages-soft) is no harm
  }
  state_->writer = std::thread([this] { state_->run(); });
}

Outlet::~Outlet() {
  if (!state_->writer.joinable()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->changed.notify_all();
  ::eventfd_write(state_->end.get(), 1);
  state_->writer.join();
}

void Outlet::put(std::string& bytes) {
  if (bytes.empty()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->check();
    state_->bytes += bytes.size();
    state_->waiting.push_back(std::move(bytes));
  }
  bytes = {};
  state_->changed.notify_one();
}

bool Outlet::full() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes > state_->capacity && state_->failed == 0;
}

int Outlet::fd() const { return state_->fd; }

void Outlet::reader_gone() { throw base::PipeClosed(base::Exit::io, "stdout: the program that reads it has ended"); }

int Outlet::wake_fd() const { return state_->wake.get(); }

void Outlet::drain() {
  eventfd_t ignored;
  ::eventfd_read(state_->wake.get(), &ignored);
}

bool Outlet::close(double seconds) {
  if (!state_->writer.joinable()) return true;
  {
    std::unique_lock lock(state_->mutex);
    state_->closing = true;
    state_->changed.notify_all();
    state_->changed.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return state_->ended; });
    state_->check();
    if (!state_->ended) return false;
  }
  state_->writer.join();
  ::close(state_->fd);
  return true;
}

}  // namespace capture
