#include "pg/address.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

namespace pg {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

}  // namespace

Address address_of(const std::string& database_url) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(database_url.c_str(), &error));
  PQfreemem(error);  // it repeats the whole string, with the password
  Address address;
  if (!parsed) return address;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    std::string_view first = option->val;
    first = first.substr(0, first.find(','));
    if (std::strcmp(option->keyword, "host") == 0) address.host = first;
    if (std::strcmp(option->keyword, "port") == 0)
      std::from_chars(first.data(), first.data() + first.size(), address.port);
  }
  return address;
}

}  // namespace pg
