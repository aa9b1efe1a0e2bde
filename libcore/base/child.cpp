#include "base/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

namespace base {
namespace {

constexpr int look_whether_read = 1;  // ms: no event tells that a pipe was emptied, and a start alone costs as much

struct Pipe {
  Fd read;
  Fd write;
};

// Never 0, 1 or 2, whatever of these is closed: the child's own go there.
Fd above_standard(int fd) {
  Fd low(fd);
  if (fd > 2) return low;
  Fd high(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!high) throw_errno("cannot make a pipe");
  return high;
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  Pipe out;
  out.read = above_standard(ends[0]);
  out.write = above_standard(ends[1]);
  return out;
}

void set_nonblocking(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

// The process, until it is reaped: its id, and that of its group, belong to nobody else as long.
class Process {
 public:
  Process(const std::vector<std::string>& argv, int in, int out, int err) {
    std::vector<char*> arguments;
    for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own, so that all it starts can be ended with it; SIGPIPE as programs expect it, for we ignore it.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    for (const int signal : {SIGPIPE, SIGTERM, SIGINT}) sigaddset(&signals, signal);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    const int failed = ::posix_spawnp(&pid_, argv[0].c_str(), &actions, &attributes, arguments.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
      pid_ = -1;
      const std::string what = argv[0] + " cannot be run: " + std::strerror(failed);
      if (failed == EAGAIN || failed == ENOMEM) throw Transient(Exit::try_later, what);
      throw Error(Exit::config, what);
    }
    ended_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));  // glibc 2.36 declares its own as C++
    if (!ended_) {
      kill();
      ::waitpid(pid_, nullptr, 0);
      throw_errno("cannot watch a process");
    }
  }
  ~Process() { reap(); }
  Process(const Process&) = delete;

  // Readable when it has ended.
  int ended_fd() const { return ended_.get(); }
  void kill() const { ::kill(-pid_, SIGKILL); }
  // Ends all that is left of its group, and tells how the process itself ended.
  ChildEnd reap() {
    ChildEnd end;
    if (pid_ < 0) return end;
    kill();
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    const bool exited = WIFEXITED(status);
    end.how = exited ? ChildEnd::How::exited : ChildEnd::How::signalled;
    end.code = exited ? WEXITSTATUS(status) : WTERMSIG(status);
    return end;
  }

 private:
  pid_t pid_ = -1;
  Fd ended_;
};

// Hands on what is there, but not so much that the other pipes would wait; closes the descriptor at its end.
void read_all(Fd& fd, const std::function<void(std::string_view)>& call) {
  std::array<char, 65536> buffer;
  for (int turns = 16; fd && turns > 0; --turns) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n > 0)
      call({buffer.data(), static_cast<size_t>(n)});
    else if (n < 0 && errno == EINTR)
      continue;
    else if (n < 0 && errno == EAGAIN)
      return;
    else
      fd.reset();
  }
}

size_t unread_in(const Fd& pipe) {
  int bytes = 0;
  ::ioctl(pipe.get(), FIONREAD, &bytes);
  return static_cast<size_t>(bytes);
}

}  // namespace

ChildEnd run_child(const std::vector<std::string>& argv, std::string_view input, double patience, int cancel_fd,
                   const ChildCalls& calls) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  Process process(argv, in.read.get(), out.write.get(), err.write.get());
  // in.read stays open here: what is left in the pipe when the program has ended tells what it did not read.
  out.write.reset();
  err.write.reset();
  for (const Fd* const fd : {&in.write, &out.read, &err.read}) set_nonblocking(*fd);
  if (input.empty()) in.write.reset();
  ChildEnd end;
  bool running = true;
  double since = monotonic_seconds();  // when it last took of its input, or had all of it
  // The last byte waits until all before it is read: who takes that, too, has asked for more after the last whole line,
  // and did not end before. In one piece it would lie in a buffer of a program that is gone.
  while (running || out.read) {
    const bool waits = in.write && input.size() == 1 && unread_in(in.read) > 0;
    pollfd fds[5] = {{waits ? -1 : in.write.get(), POLLOUT, 0},
                     {out.read.get(), POLLIN, 0},
                     {err.read.get(), POLLIN, 0},
                     {running ? process.ended_fd() : -1, POLLIN, 0},
                     {cancel_fd, POLLIN, 0}};
    const double left = since + patience - monotonic_seconds();
    if (left <= 0) {
      process.reap();
      read_all(err.read, calls.err);
      return {ChildEnd::How::hung, 0, input.size() + unread_in(in.read)};
    }
    ::poll(fds, 5, waits ? look_whether_read : static_cast<int>(std::min(left, 3600.0) * 1000) + 1);
    if (fds[4].revents != 0) return {ChildEnd::How::cancelled, 0, 0};
    if (fds[0].revents != 0) {
      const ssize_t n = ::write(in.write.get(), input.data(), std::max<size_t>(1, input.size() - 1));
      if (n > 0) {
        input.remove_prefix(static_cast<size_t>(n));
        since = monotonic_seconds();
      }
      if (input.empty()) in.write.reset();
    }
    if (fds[1].revents != 0) read_all(out.read, calls.out);
    if (fds[2].revents != 0) read_all(err.read, calls.err);
    if (fds[3].revents != 0) {
      running = false;
      in.write.reset();
    }
  }
  read_all(err.read, calls.err);
  end = process.reap();
  end.unread = input.size() + unread_in(in.read);
  return end;
}

}  // namespace base
