#include "http/serve.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "http/api.hpp"
#include "http/board.hpp"
#include "http/listen.hpp"
#include "http/server.hpp"
#include "http/token.hpp"

namespace http {
namespace {

GuardRules rules_of(const config::Api& api) {
  GuardRules out{.allowed_hosts = api.allowed_hosts};
  // Nobody can point a name of theirs at us and have a browser send our address as the Host.
  const bool bare_v6 = api.listen.find(':') != std::string::npos && !api.listen.starts_with('[');
  out.allowed_hosts.push_back(bare_v6 ? "[" + api.listen + "]" : api.listen);
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
  GuardRules rules = rules_of(settings.api);
  const Listening listening = listen_on(settings.api.listen, settings.api.ports);
  Board board(settings);
  Api api(settings, board, std::move(rules));
  base::log(base::Level::info, "serving " + listed(listening.places));
  serve_http(listening, {.refuse = [&](const Request& request) { return api.refuse(request); },
                         .read = [&](const Request& request) { return api.read(request); },
                         .act = [&](const Request& request) { return api.act(request); }});
}

}  // namespace http
