#include "apply/lease.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apply/hold.hpp"
#include "apply/run.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"
#include "spool/cursor.hpp"

namespace apply {
namespace {

constexpr double try_every = 0.02;  // s between tries to reach an apply that ends or begins just now
constexpr double keep_every = 1;    // s; far below what an applier takes for silence

[[noreturn]] void not_to_be_had(const std::string& node, const std::string& why) {
  throw base::Transient(base::Exit::try_later, node + ": apply cannot be held: " + why);
}

[[noreturn]] void lost(const std::string& node) {
  throw LeaseLost(node + ": apply cannot be held: it has ended, or went on by itself");
}

}  // namespace

struct Lease::State {
  const config::Settings& settings;
  std::string node;
  std::optional<spool::CursorFile> cursor;  // alone
  base::Fd connection;
  std::string read;
  change::Lsn until;

  bool connect() {
    try {
      const HoldAddress address(settings, node);
      base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_un at{};
      at.sun_family = AF_UNIX;
      std::memcpy(at.sun_path, address.reachable.c_str(), address.reachable.size() + 1);
      if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return false;
      connection = std::move(fd);
      read.clear();
      return true;
    } catch (const base::Error&) {  // no such directory: nobody has ever listened
      return false;
    }
  }

  bool say(const std::string& line) {
    return ::send(connection.get(), line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
  }

  // It may be busy or hang, which looks the same from here; who it is, and what tells the two apart, is for a person.
  std::string late(const std::string& word) const {
    ucred peer{};
    socklen_t size = sizeof peer;
    const bool known = ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0;
    const std::string who = known ? "pid " + std::to_string(peer.pid) : "it";
    return (word == "held"
                ? who + " did not answer in time; it applies a very large transaction, waits for the standby, or hangs"
                : who +
                      " did not get there in time; it has a backlog, waits for the queue, or applies a very "
                      "large transaction") +
           ": see pgtandem status, and restart it if it does not go on";
  }

  // The LSN that `word` is answered with; nothing when the applier is gone.
  std::optional<change::Lsn> hear(const std::string& word, double deadline) {
    for (;;) {
      if (const size_t end = read.find('\n'); end != std::string::npos) {
        const nlohmann::json answer = nlohmann::json::parse(read.substr(0, end), nullptr, false);
        read.erase(0, end + 1);
        change::Lsn lsn;
        if (!answer.is_object() || !answer.contains(word) || !answer[word].is_string() ||
            !change::Lsn::parse(answer[word].get<std::string>(), lsn))
          return std::nullopt;
        return lsn;
      }
      const double left = deadline - base::monotonic_seconds();
      if (left <= 0 || base::stop_requested())
        not_to_be_had(node, base::stop_requested() ? "a stop was requested" : late(word));
      pollfd fds[2] = {{connection.get(), POLLIN, 0}, {base::stop_fd(), POLLIN, 0}};
      ::poll(fds, 2, static_cast<int>(std::min(left, keep_every) * 1000) + 1);
      if (fds[0].revents == 0) {
        if (!say("{\"keep\":true}\n")) return std::nullopt;
        continue;
      }
      char bytes[256];
      const ssize_t n = ::recv(connection.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n <= 0) return std::nullopt;
      read.append(bytes, static_cast<size_t>(n));
    }
  }
};

Lease::Lease(const config::Settings& settings, const std::string& node, double deadline)
    : state_(new State{settings, settings.secondary(node).name, {}, {}, {}, {}}) {
  for (;;) {
    if (state_->connect() && state_->say("{\"hold\":true}\n") && state_->hear("held", deadline)) return;
    state_->connection.reset();
    std::string holder;
    try {
      state_->cursor.emplace(settings.spool.directory, state_->node);
      return;
    } catch (const base::Error& taken) {
      if (taken.kind() != base::Exit::try_later) throw;
      holder = taken.what();
    }
    if (base::monotonic_seconds() > deadline)
      not_to_be_had(state_->node,
                    holder + "; but it does not answer on its socket in " + settings.state_directory.string());
    if (base::sleep_or_stop(try_every)) not_to_be_had(state_->node, "a stop was requested");
  }
}

Lease::~Lease() = default;

bool Lease::alone() const { return state_->cursor.has_value(); }

void Lease::go_to(change::Lsn until) {
  state_->until = until;
  if (alone()) return;
  if (!state_->say("{\"until\":\"" + until.text() + "\"}\n")) lost(state_->node);
}

change::Lsn Lease::arrive(double deadline) {
  if (alone()) {
    const change::Lsn at = bring_to(state_->settings, state_->node, *state_->cursor, state_->until);
    if (base::stop_requested()) not_to_be_had(state_->node, "a stop was requested");
    return at;
  }
  const std::optional<change::Lsn> at = state_->hear("at", deadline);
  if (!at) lost(state_->node);
  return *at;
}

void Lease::keep() {
  if (alone()) return;
  pollfd fd{state_->connection.get(), POLLIN, 0};
  if (::poll(&fd, 1, 0) > 0 || !state_->say("{\"keep\":true}\n"))  // nothing is due: it is the end
    lost(state_->node);
}

}  // namespace apply
