#include "http/serve.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "http/api.hpp"
#include "http/board.hpp"
#include "http/listen.hpp"
#include "http/server.hpp"
#include "http/token.hpp"
#include "state/service.hpp"

namespace http {
namespace {

// An IPv6 address stands in brackets in a Host.
std::string as_host(const std::string& address) {
  return address.find(':') != std::string::npos && !address.starts_with('[') ? "[" + address + "]" : address;
}

GuardRules rules_of(const config::Settings& settings) {
  const config::Api& api = settings.api;
  GuardRules out{.allowed_hosts = api.allowed_hosts};
  // Nobody can point a name of theirs at us and have a browser send our address as the Host.
  out.allowed_hosts.push_back(as_host(api.listen));
  // Clients of old know us by the address that the configuration has of this node.
  const auto local = settings.nodes.find(settings.local_node);
  if (local != settings.nodes.end() && !local->second.host.empty())
    out.allowed_hosts.push_back(as_host(local->second.host));
  if (!api.token_file.empty()) {
    out.token = read_token(api.token_file);
  } else if (!is_loopback(api.listen)) {
    throw base::Error(base::Exit::config, "api.listen: " + api.listen +
                                              " can be reached from other machines; give api.token_file, which every "
                                              "POST then needs, or listen on 127.0.0.1");
  }
  return out;
}

std::string listed(const std::vector<std::string>& places) {
  std::string out;
  for (const std::string& place : places) out += (out.empty() ? "http://" : ", http://") + place;
  return out;
}

}  // namespace

void serve(const config::Settings& settings) {
  base::make_directories(settings.state_directory);
  const base::FileLock lock(settings.state_directory / "serve.lock", "status serve");
  const state::Service service(settings, "serve");
  GuardRules rules = rules_of(settings);
  const Listening listening = listen_on(settings.api.listen, settings.api.ports);
  Board board(settings);
  Api api(settings, board, std::move(rules));
  base::log(base::Level::info, "serving " + listed(listening.places));
  serve_http(listening, {.refuse = [&](const Request& request) { return api.refuse(request); },
                         .read = [&](const Request& request) { return api.read(request); },
                         .act = [&](const Request& request) { return api.act(request); }});
}

}  // namespace http
