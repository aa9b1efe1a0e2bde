#include "http/server.hpp"

#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "http/clients.hpp"
#include "http/exchange.hpp"

namespace http {
namespace {

// One that is not done when its turn is over waits for the next: new clients must not keep the old ones waiting.
constexpr int accepts_a_turn = 64;

class Server {
 public:
  Server(const Listening& listening, const Handlers& handlers, const ServerLimits& limits)
      : clients_(limits.connections, limits.request_seconds), exchanges_(handlers, limits), daemon_(start(limits)) {
    waits_.push_back({base::stop_fd(), POLLIN, 0});
    waits_.push_back({MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, POLLIN, 0});
    waits_.push_back({exchanges_.fd(), POLLIN, 0});
    first_socket_ = waits_.size();
    for (const base::Fd& socket : listening.sockets) waits_.push_back({socket.get(), POLLIN, 0});
  }

  void run() {
    while (!base::stop_requested()) {
      const bool open = open_to_newcomers();
      for (size_t i = first_socket_; i < waits_.size(); ++i) waits_[i].events = open ? POLLIN : 0;
      ::poll(waits_.data(), waits_.size(), patience());
      exchanges_.deliver();
      MHD_run(daemon_.get());
      for (size_t i = first_socket_; i < waits_.size(); ++i) {
        if ((waits_[i].revents & POLLIN) != 0) accept_from(waits_[i]);
      }
      clients_.cut_overdue(base::monotonic_seconds());
      MHD_run(daemon_.get());
    }
    exchanges_.finish();
    MHD_run(daemon_.get());
  }

 private:
  using Daemon = std::unique_ptr<MHD_Daemon, decltype(&MHD_stop_daemon)>;

  // microhttpd has the connections that it is given and an epoll(7) of its own; the waiting and the accepting are done
  // here, so that one number of connections holds for all ports, and a full house has room for the next.
  Daemon start(const ServerLimits& limits) {
    MHD_Daemon* const made = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
        &Exchanges::on_request, &exchanges_, MHD_OPTION_NOTIFY_COMPLETED, &Server::on_completed, this,
        MHD_OPTION_NOTIFY_CONNECTION, &Server::on_connection, this, MHD_OPTION_UNESCAPE_CALLBACK, &Server::keep_as_sent,
        nullptr, MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(limits.connections),
        // What is read and what is parsed lie there together; a head that is longer than it may be shall still fit, for
        // the answer that says so is ours.
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, 4 * limits.header_bytes, MHD_OPTION_END);
    if (made == nullptr) base::throw_errno("cannot start the HTTP server");
    return {made, MHD_stop_daemon};
  }

  int patience() {
    MHD_UNSIGNED_LONG_LONG due = 0;
    double next = clients_.next_due();
    if (!open_to_newcomers()) next = std::min(next, clients_.next_place());
    const double left = next - base::monotonic_seconds();
    double milliseconds = std::clamp(std::ceil(left * 1000), 0.0, 60000.0);
    if (MHD_get_timeout(daemon_.get(), &due) == MHD_YES)
      milliseconds = std::min(milliseconds, static_cast<double>(due));
    return static_cast<int>(milliseconds);
  }

  bool open_to_newcomers() const { return clients_.next_place() <= base::monotonic_seconds(); }

  void accept_from(pollfd socket) {
    for (int i = 0; i < accepts_a_turn; ++i) {
      if (::poll(&socket, 1, 0) <= 0) return;  // none waits
      make_room();
      if (clients_.count() >= clients_.places()) return;
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      base::Fd made(::accept4(socket.fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!made) return;  // there are no descriptors left, say; the next turn tries again
      // It closes the socket, whatever it says.
      MHD_add_connection(daemon_.get(), made.release(), reinterpret_cast<const sockaddr*>(&peer), size);
    }
  }

  // Where nobody may be turned out yet, newcomers wait in the socket's own queue.
  void make_room() {
    if (clients_.count() < clients_.places()) return;
    MHD_run(daemon_.get());  // whoever has sent a whole request has an answer, and is not slow
    if (clients_.count() < clients_.places() || !open_to_newcomers()) return;
    clients_.cut_oldest();
    MHD_run(daemon_.get());
  }

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode what) {
    Clients& clients = static_cast<Server*>(self)->clients_;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
      *context = clients.add(fd, base::monotonic_seconds());
    } else {
      clients.remove(static_cast<Clients::Client*>(*context));
    }
  }

  static void on_completed(void*, MHD_Connection* connection, void** exchange, MHD_RequestTerminationCode) {
    Exchanges::forget(exchange);
    void* const client = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (client != nullptr) static_cast<Clients::Client*>(client)->since = base::monotonic_seconds();
  }

  // Paths are compared as they were sent: none of ours has anything to decode.
  static size_t keep_as_sent(void*, MHD_Connection*, char* text) { return std::strlen(text); }

  Clients clients_;
  Exchanges exchanges_;
  Daemon daemon_;
  std::vector<pollfd> waits_;
  size_t first_socket_ = 0;
};

}  // namespace

void serve_http(const Listening& listening, const Handlers& handlers, const ServerLimits& limits) {
  Server(listening, handlers, limits).run();
}

}  // namespace http
