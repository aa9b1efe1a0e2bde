#include "apply/hold.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"

namespace apply {
namespace {

constexpr size_t longest_word = 4096;  // bytes of a line; the words have some 30
constexpr size_t longest_name = 60;    // of a node in the socket's name: an address has 107 bytes

// As cursors are named, and no longer than an address allows.
std::string file_name(const std::string& node) {
  const bool plain =
      node.size() <= longest_name && std::all_of(node.begin(), node.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
      });
  return "apply." + (plain ? node : base::hex16(base::hash_bytes(node))) + ".sock";
}

}  // namespace

HoldAddress::HoldAddress(const config::Settings& settings, const std::string& node)
    : path(settings.state_directory / file_name(node)),
      directory(base::open_file(settings.state_directory, O_PATH | O_DIRECTORY)),
      reachable("/proc/self/fd/" + std::to_string(directory.get()) + "/" + path.filename().string()) {}

struct Hold::State {
  std::string node;
  double limit = 0;  // s without a word
  std::function<void()> call;
  std::atomic<bool> called{false};
  std::filesystem::path path;
  base::Fd listening;
  base::Fd ending;  // readable when the thread has to look at what changed here

  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;    // the run is over
  bool waiting = false;  // somebody asked and is not yet served, or is being served
  bool lost = false;     // he is gone
  base::Fd asker;
  std::string read;  // of him, not yet a line
  double heard = 0;
  std::optional<change::Lsn> until;
  std::thread thread;

  void listen(const config::Settings& settings) {
    base::make_directories(settings.state_directory);
    const HoldAddress address(settings, node);
    path = address.path;
    base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.reachable.c_str(), address.reachable.size() + 1);
    ::unlink(path.c_str());  // of an apply that was killed: the cursor's lock says that there is no other one
    // The file gets the socket's own mode, less the umask: there is no moment at which others could connect.
    if (!fd || ::fchmod(fd.get(), 0600) != 0 || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(fd.get(), 16) != 0)
      base::throw_errno("cannot listen on " + path.string());
    listening = std::move(fd);
  }

  void run() {
    for (;;) {
      pollfd fds[3] = {{ending.get(), POLLIN, 0}, {-1, POLLIN, 0}, {base::stop_fd(), POLLIN, 0}};
      double wait = -1;
      {
        const std::lock_guard lock(mutex);
        if (ended) return;
        if (waiting && lost) {  // until the run has left the hold
        } else if (waiting) {
          fds[1].fd = asker.get();
          wait = std::max(0.0, heard + limit - base::monotonic_seconds());
        } else {
          fds[1].fd = listening.get();
        }
      }
      ::poll(fds, base::stop_requested() ? 2 : 3, wait < 0 ? -1 : static_cast<int>(wait * 1000) + 1);
      eventfd_t ignored;
      if (fds[0].revents != 0) ::eventfd_read(ending.get(), &ignored);
      const std::lock_guard lock(mutex);
      if (base::stop_requested()) changed.notify_all();
      if (waiting && !lost)
        look_at_asker(fds[1].revents != 0);
      else if (!waiting && fds[1].revents != 0)
        take_next();
    }
  }

  void take_next() {
    asker = base::Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!asker) return;
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(asker.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
        (who.uid != ::geteuid() && who.uid != 0)) {
      asker.reset();
      return;
    }
    read.clear();
    until.reset();
    lost = false;
    waiting = true;
    heard = base::monotonic_seconds();
  }

  void look_at_asker(bool readable) {
    if (!readable) {
      if (base::monotonic_seconds() < heard + limit) return;
      base::log(base::Level::warn, node + ": who holds apply says nothing for " +
                                       std::to_string(static_cast<long>(limit)) + " s; going on without him");
      return lose();
    }
    char bytes[longest_word];
    const ssize_t n = ::recv(asker.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return lose();
    read.append(bytes, static_cast<size_t>(n));
    heard = base::monotonic_seconds();
    for (size_t end; (end = read.find('\n')) != std::string::npos; read.erase(0, end + 1))
      if (!take_word(read.substr(0, end))) return lose();
    if (read.size() >= longest_word) lose();
  }

  // False for what is none of the words.
  bool take_word(const std::string& line) {
    const nlohmann::json word = nlohmann::json::parse(line, nullptr, false);
    if (!word.is_object()) return false;
    if (word.contains("keep")) return true;
    if (word.contains("hold")) {
      called = true;
      call();
      return true;
    }
    change::Lsn lsn;
    if (!word.contains("until") || !word["until"].is_string() ||
        !change::Lsn::parse(word["until"].get<std::string>(), lsn))
      return false;
    until = lsn;
    changed.notify_all();
    return true;
  }

  void lose() {
    lost = true;
    asker.reset();
    called = true;
    changed.notify_all();
    call();
  }

  void say(const std::string& word, change::Lsn lsn) {
    const std::string line = "{\"" + word + "\":\"" + lsn.text() + "\"}\n";
    // Some 30 bytes to a peer that reads nothing else: they fit, or he is gone and the thread hears of it.
    (void)!::send(asker.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  void wake() { ::eventfd_write(ending.get(), 1); }
};

Hold::Hold(const config::Settings& settings, const config::Node& node, std::function<void()> call)
    : state_(std::make_unique<State>()) {
  state_->node = node.name;
  // An asker's own limit is sync_timeout: it gives up first, and says why.
  state_->limit = std::max(2 * settings.synchronization.sync_timeout, 10.0);
  state_->call = std::move(call);
  try {
    state_->listen(settings);
    state_->ending = base::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    state_->thread = std::thread([this] { state_->run(); });
  } catch (const base::Error& failure) {
    base::log(base::Level::warn, std::string(failure.what()) + "; a comparison cannot pause this apply");
  }
}

Hold::~Hold() {
  if (!state_->thread.joinable()) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
  }
  state_->wake();
  state_->thread.join();
  ::unlink(state_->path.c_str());
}

const std::atomic<bool>& Hold::called() const { return state_->called; }

std::optional<change::Lsn> Hold::begin(change::Lsn at) {
  std::unique_lock lock(state_->mutex);
  state_->called = state_->lost;
  if (!state_->waiting || state_->lost) return std::nullopt;
  base::log(base::Level::debug, state_->node + ": held at " + at.text());
  state_->say("held", at);
  state_->changed.wait(lock, [&] { return state_->until || state_->lost || base::stop_requested(); });
  return state_->lost || base::stop_requested() ? std::nullopt : state_->until;
}

void Hold::arrived(change::Lsn at) {
  std::unique_lock lock(state_->mutex);
  if (state_->lost) return;
  base::log(base::Level::debug, state_->node + ": waits at " + at.text());
  state_->say("at", at);
  state_->changed.wait(lock, [&] { return state_->lost || base::stop_requested(); });
}

void Hold::end() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting = state_->lost = state_->called = false;
    state_->asker.reset();
    state_->until.reset();
  }
  state_->wake();
}

}  // namespace apply
