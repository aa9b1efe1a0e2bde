// How the bytes of a session travel. Owns the questions to libpq; judges nothing.
#pragma once

#include <string>

#include "pg/session.hpp"

namespace pg {

struct Transport {
  bool encrypted = false;
  bool leaves_machine = false;  // neither a Unix socket nor loopback
  std::string address;          // of the server; empty for a Unix socket
  std::string sslmode;          // as it is in effect: "prefer", "require", "verify-full" …
};
Transport transport_of(Session& session);

// Pure: whether an IP address is this machine's own for certain.
bool is_loopback(const std::string& address);

}  // namespace pg
