#include "http/clients.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <iterator>

namespace http {

Clients::Client* Clients::add(int fd, double now) {
  Client& made = clients_.emplace_back(Client{.fd = fd, .since = now});
  made.self = std::prev(clients_.end());
  return &made;
}

void Clients::remove(Client* client) { clients_.erase(client->self); }

double Clients::next_due() const {
  double due = 1e18;
  for (const Client& client : clients_) {
    if (may_go(client)) due = std::min(due, client.since + seconds_);
  }
  return due;
}

const Clients::Client* Clients::oldest() const {
  const Client* found = nullptr;
  for (const Client& client : clients_) {
    if (may_go(client) && (found == nullptr || client.since < found->since)) found = &client;
  }
  return found;
}

double Clients::next_place() const {
  if (count() < places()) return 0;
  const Client* const one = oldest();
  return one == nullptr ? 1e18 : one->since + patience_seconds;
}

// The server reads an end of the connection then, and closes it.
void Clients::cut(Client& client) {
  client.cut = true;
  ::shutdown(client.fd, SHUT_RDWR);
}

void Clients::cut_overdue(double now) {
  for (Client& client : clients_) {
    if (may_go(client) && client.since + seconds_ <= now) cut(client);
  }
}

void Clients::cut_oldest() {
  if (const Client* const one = oldest()) cut(*one->self);
}

}  // namespace http
