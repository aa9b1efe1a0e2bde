#include "pg/service_file.hpp"

#include <libpq-fe.h>

#include <cstring>
#include <memory>

#include "base/error.hpp"

namespace pg {
namespace {
struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
}  // namespace

std::string service_file(const config::Node& node, const std::string& name) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(node.database_url.c_str(), nullptr));
  if (!parsed) throw base::Error(base::Exit::config, node.name + ": database_url is not a connection string");
  std::string out = "[" + name + "]\n";
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::strpbrk(option->val, "\r\n") != nullptr || std::strcmp(option->keyword, "service") == 0)
      throw base::Error(base::Exit::config,
                        node.name + ": database_url: " + option->keyword +
                            " cannot be handed to pg_dump; make the tables by hand (pg_dump -s -t)");
    out += std::string(option->keyword) + "=" + option->val + "\n";
  }
  return out;
}

}  // namespace pg
