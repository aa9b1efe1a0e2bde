// Who is connected, and since when each is about its request. Owns that list and the decision who has to go; the
// sockets are the server's, which closes one that was cut. Never waits. For the server.
#pragma once

#include <cstddef>
#include <list>

namespace http {

class Clients {
 public:
  // A request is on its way for as long, though its connection is there: a crowd of newcomers in that moment must not
  // turn out who has just come to ask.
  static constexpr double patience_seconds = 0.03;
  struct Client {
    int fd = -1;
    double since = 0;   // monotonic; of the connection, or of the last answer
    bool busy = false;  // it has asked, and we are at work for it: it is not the one that is slow
    bool cut = false;
    std::list<Client>::iterator self{};
  };

  Clients(size_t places, double seconds) : places_(places), seconds_(seconds) {}
  Client* add(int fd, double now);
  void remove(Client* client);

  size_t places() const { return places_; }
  size_t count() const { return clients_.size(); }
  double next_due() const;  // monotonic; far away where nobody is here
  // Monotonic: when a newcomer may have a place. At once where one is free; or else that of whoever is longest about a
  // request, who keeps it for `patience_seconds`; far away where all wait for us.
  double next_place() const;
  // Shuts down the sockets of those whose time is over, or of the one whose request is the oldest.
  void cut_overdue(double now);
  void cut_oldest();

 private:
  static void cut(Client& client);
  const Client* oldest() const;
  static bool may_go(const Client& client) { return !client.cut && !client.busy; }
  std::list<Client> clients_;
  size_t places_;
  double seconds_;
};

}  // namespace http
