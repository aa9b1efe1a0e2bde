// A connection to one server, its settings pinned so that text forms and name look-up never depend on the role or the
// database. Owns the start-up parameters and the deadline of connecting; runs no statement. For session.cpp.
#pragma once

#include <memory>
#include <string>

#include "config/settings.hpp"

struct pg_conn;

namespace pg {

struct SessionOptions {
  std::string purpose;             // application_name, as "pgtandem apply"
  bool replication = false;        // a walsender, logical
  bool writes_as_replica = false;  // asks for session_replication_role = replica; see Session::replica_role()
  double answer_timeout = 30;      // s a statement and each network answer may take; 0: no bound
};

struct Finish {
  void operator()(pg_conn* conn) const;
};
using Connection = std::unique_ptr<pg_conn, Finish>;

// Not blocking. Throws Error(config) for a database_url that can never be right, and what error.hpp says of a server
// that refuses or does not answer.
Connection connect(const config::Node& node, const SessionOptions& options);

// Until the socket can be read (or written too); false when `seconds` have passed.
bool wait_for(const pg_conn& conn, const std::string& node, bool write, double seconds);

// "NODE: cannot DOING", for error messages.
std::string cannot(const std::string& node, const std::string& doing);

}  // namespace pg
