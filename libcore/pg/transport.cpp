#include "pg/transport.hpp"

#include <libpq-fe.h>

#include <cstring>
#include <memory>

namespace pg {

bool is_loopback(const std::string& address) {
  return address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}

Transport transport_of(Session& session) {
  Transport out;
  out.encrypted = PQsslInUse(session.handle()) != 0;
  if (const char* address = PQhostaddr(session.handle())) out.address = address;
  if (out.address.starts_with("/")) out.address.clear();
  out.leaves_machine = !out.address.empty() && !is_loopback(out.address);
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfo(session.handle()),
                                                                             PQconninfoFree);
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (std::strcmp(option->keyword, "sslmode") == 0 && option->val != nullptr) out.sslmode = option->val;
  return out;
}

}  // namespace pg
