// Where a connection string leads, for people: host and port as libpq reads them. Decides nothing, connects nowhere.
#pragma once

#include <string>

namespace pg {

struct Address {
  std::string host;  // empty: the string does not say (a service, a socket's default), or is none
  int port = 0;      // 0: as host
};

// The first, where it names several.
Address address_of(const std::string& database_url);

}  // namespace pg
