#include "http/listen.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "base/error.hpp"

namespace http {
namespace {

using base::Error;
using base::Exit;

// As many as the kernel takes: a burst waits here for the moment that a turn of the server's takes.
constexpr int backlog = SOMAXCONN;

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }

  bool is_loopback() const {
    if (bytes.ss_family == AF_INET) {
      return ntohl(reinterpret_cast<const sockaddr_in*>(&bytes)->sin_addr.s_addr) >> 24 == 127;
    }
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&bytes)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  }
  std::string text() const {
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (::getnameinfo(get(), size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
      return "?";
    }
    const bool v6 = bytes.ss_family == AF_INET6;
    return (v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
  }
};

std::vector<Address> resolve(const std::string& address, int port) {
  const std::string bare =
      address.starts_with('[') && address.ends_with(']') ? address.substr(1, address.size() - 2) : address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(bare.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    throw Error(Exit::config, "api.listen: " + address + " is no address: " + ::gai_strerror(failed) +
                                  "; write one of this machine's, as 127.0.0.1");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  std::vector<Address> all;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Address one;
    std::memcpy(&one.bytes, at->ai_addr, at->ai_addrlen);
    one.size = at->ai_addrlen;
    const bool known = std::any_of(all.begin(), all.end(), [&](const Address& other) {
      return other.size == one.size && std::memcmp(&other.bytes, &one.bytes, one.size) == 0;
    });
    if (!known) all.push_back(one);  // /etc/hosts often names one twice
  }
  return all;
}

[[noreturn]] void refuse(const Address& address, int why) {
  const std::string where = "cannot listen on " + address.text() + ": ";
  switch (why) {
    case EADDRINUSE:
      throw Error(Exit::cannot_create,
                  where + "another program has the port; end that one, or choose others in api.ports");
    case EACCES:
    case EPERM:
      throw Error(Exit::no_right, where + "no right to this port; choose ports above 1023 in api.ports");
    case EADDRNOTAVAIL:
      throw Error(Exit::config, where + "the address is none of this machine's; mend api.listen");
    default:
      throw Error(Exit::cannot_create, where + std::strerror(why) + "; mend api.listen or api.ports");
  }
}

base::Fd open_socket(const Address& address) {
  base::Fd made(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (!made) return made;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.bytes.ss_family == AF_INET6) ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (::bind(made.get(), address.get(), address.size) != 0 || ::listen(made.get(), backlog) != 0)
    refuse(address, errno);
  return made;
}

}  // namespace

bool is_loopback(const std::string& address) {
  const std::vector<Address> all = resolve(address, 0);
  return std::all_of(all.begin(), all.end(), [](const Address& one) { return one.is_loopback(); });
}

Listening listen_on(const std::string& address, const std::vector<int>& ports) {
  Listening out;
  for (const int port : std::set<int>(ports.begin(), ports.end())) {
    for (const Address& place : resolve(address, port)) {
      base::Fd made = open_socket(place);
      if (!made) {
        if (errno == EAFNOSUPPORT) continue;  // "localhost" names ::1 also where the kernel has no IPv6
        base::throw_errno("cannot make a socket");
      }
      out.loopback = out.loopback && place.is_loopback();
      out.sockets.push_back(std::move(made));
      out.places.push_back(place.text());
    }
  }
  if (out.sockets.empty()) throw Error(Exit::config, "api.listen: nothing to listen on at " + address);
  return out;
}

}  // namespace http
