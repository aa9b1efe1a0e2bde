// The sockets that the server accepts on. Owns the address and its errors in words; accepts nothing itself.
#pragma once

#include <string>
#include <vector>

#include "base/files.hpp"

namespace http {

struct Listening {
  std::vector<base::Fd> sockets;    // non-blocking, closed on exec
  std::vector<std::string> places;  // "127.0.0.1:8000", in the same order
  bool loopback = true;             // whoever is not on this machine cannot reach any of them
};

// Whether all that the name or address stands for is loopback. Throws Error(config) for one that stands for nothing.
bool is_loopback(const std::string& address);

// A socket for each address that `address` stands for and each port: all of them, or an Error: cannot_create where
// another program has the port, no_right where it may not be had, config where the address is none of this machine's.
Listening listen_on(const std::string& address, const std::vector<int>& ports);

}  // namespace http
