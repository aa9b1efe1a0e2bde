#include "http/clients.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/files.hpp"

namespace {

struct Pair {
  base::Fd ours, theirs;
  Pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    ours = base::Fd(fds[0]);
    theirs = base::Fd(fds[1]);
  }
  bool is_cut() const {
    char byte;
    return ::recv(theirs.get(), &byte, 1, 0) == 0;
  }
};

}  // namespace

TEST_CASE("whoever has been longest about a request goes, but not one that waits for us") {
  const Pair first, second, third;
  http::Clients clients(3, 5);
  http::Clients::Client* const one = clients.add(first.ours.get(), 10);
  http::Clients::Client* const two = clients.add(second.ours.get(), 11);
  clients.add(third.ours.get(), 12);
  CHECK(clients.next_due() == 15);
  one->since = 13;  // it had an answer
  two->busy = true;
  clients.cut_oldest();
  CHECK(third.is_cut());
  clients.cut_oldest();
  CHECK(first.is_cut());
  clients.cut_oldest();
  CHECK_FALSE(second.is_cut());
  clients.remove(one);
  CHECK(clients.count() == 2);
}

TEST_CASE("nobody is turned out before a request can have come") {
  const Pair first, second;
  http::Clients clients(2, 5);
  http::Clients::Client* const one = clients.add(first.ours.get(), 10);
  CHECK(clients.next_place() <= 10);
  http::Clients::Client* const two = clients.add(second.ours.get(), 10.02);
  CHECK(clients.next_place() == 10 + http::Clients::patience_seconds);
  one->busy = true;
  CHECK(clients.next_place() == 10.02 + http::Clients::patience_seconds);
  two->busy = true;
  CHECK(clients.next_place() > 1e9);
  clients.remove(one);
  CHECK(clients.next_place() <= 10);
}

TEST_CASE("a request has so long, however its bytes drip") {
  const Pair first, second;
  http::Clients clients(2, 5);
  clients.add(first.ours.get(), 10);
  clients.add(second.ours.get(), 10.5);
  clients.cut_overdue(14.9);
  CHECK_FALSE(first.is_cut());
  clients.cut_overdue(15);
  CHECK(first.is_cut());
  CHECK_FALSE(second.is_cut());
  CHECK(clients.next_due() == 15.5);
}
