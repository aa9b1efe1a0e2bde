#include "http/guard.hpp"

#include <catch2/catch.hpp>

using http::GuardRules;
using http::Request;

namespace {

GuardRules loopback() { return {.allowed_hosts = {"localhost", "127.0.0.1", "[::1]", "status.example:8443"}}; }

Request get() { return {.method = "GET", .path = "/api/status", .host = {"localhost:8001"}}; }
Request post() { return {.method = "POST", .path = "/api/force-sync", .host = {"localhost:8001"}}; }

int status_of(const Request& request, const GuardRules& rules = loopback()) {
  const auto refused = http::refuse(request, rules);
  return refused ? refused->status : 200;
}

}  // namespace

TEST_CASE("a Host that is allowed, with any port or with the one named") {
  const auto rules = loopback().allowed_hosts;
  for (const char* const good :
       {"localhost", "localhost:8001", "LocalHost:1", "127.0.0.1:8000", "[::1]:8000", "[::1]", "status.example:8443"}) {
    CHECK(http::host_allowed(good, rules));
  }
  for (const char* const bad : {"",
                                ":",
                                "localhost:",
                                "localhost:x",
                                "localhost:123456",
                                "localhost.",
                                "localhost.evil.example",
                                "evil.example",
                                "evil.example:8001",
                                "xlocalhost",
                                "127.0.0.1.evil.example",
                                "[::1",
                                "[::1]x:80",
                                "::1",
                                "[]",
                                "[::2]",
                                "status.example",
                                "status.example:80",
                                "localhost:8001:80",
                                "evil@localhost",
                                "localhost/evil"}) {
    INFO(bad);
    CHECK_FALSE(http::host_allowed(bad, rules));
  }
  CHECK_FALSE(http::host_allowed("localhost", {}));
  CHECK_FALSE(http::host_allowed("", {""}));
}

TEST_CASE("a page that had its name point here is refused (DNS rebinding)") {
  Request request = get();
  request.host = {"evil.example:8001"};
  CHECK(status_of(request) == 403);
  // What was sent is not in the answer.
  CHECK(http::refuse(request, loopback())->body.find("evil") == std::string::npos);
  request.host = {};
  CHECK(status_of(request) == 400);
  request.host = {"localhost", "localhost"};
  CHECK(status_of(request) == 400);
  request.host = {""};
  CHECK(status_of(request) == 400);
}

TEST_CASE("an Origin is the place that the request was sent to, or refused") {
  CHECK(http::same_origin("http://localhost:8001", "localhost:8001"));
  CHECK(http::same_origin("HTTPS://Status.example", "status.example"));
  for (const char* const bad :
       {"null", "", "http://", "localhost:8001", "http://localhost", "http://localhost:8000", "http://evil.example",
        "http://localhost:8001.evil.example", "ftp://localhost:8001", "http://localhost:8001/", "file://"}) {
    INFO(bad);
    CHECK_FALSE(http::same_origin(bad, "localhost:8001"));
  }
  for (Request request : {get(), post()}) {
    request.origin = {"http://localhost:8001"};
    CHECK(status_of(request) == 200);
    request.origin = {"https://evil.example"};
    CHECK(status_of(request) == 403);
    request.origin = {"null"};
    CHECK(status_of(request) == 403);
    request.origin = {"http://localhost:8001", "https://evil.example"};
    CHECK(status_of(request) == 403);
  }
}

TEST_CASE("a form of another site's page, which may come without an Origin") {
  Request request = post();
  for (const char* const site : {"cross-site", "same-site", "?"}) {
    request.fetch_site = {site};
    CHECK(status_of(request) == 403);
  }
  for (const char* const site : {"same-origin", "none"}) {
    request.fetch_site = {site};
    CHECK(status_of(request) == 200);
  }
  request = get();  // a link to here is none of that
  request.fetch_site = {"cross-site"};
  CHECK(status_of(request) == 200);
}

TEST_CASE("a plain POST needs nothing where there is no token") { CHECK(status_of(post()) == 200); }

TEST_CASE("where there is a token every request that changes something needs it") {
  GuardRules rules = loopback();
  rules.token = "0123456789abcdef";
  CHECK(status_of(get(), rules) == 200);
  Request request = post();
  CHECK(status_of(request, rules) == 401);
  CHECK(http::refuse(request, rules)->fields.at(0).first == "WWW-Authenticate");
  CHECK(http::refuse(request, rules)->body.find(rules.token) == std::string::npos);
  for (const char* const bad : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer 0123456789abcde",
                                "Bearer 0123456789abcdef0", "Basic 0123456789abcdef", "0123456789abcdef"}) {
    INFO(bad);
    request.authorization = {bad};
    CHECK(status_of(request, rules) == 401);
  }
  request.authorization = {"Bearer 0123456789abcdef"};
  CHECK(status_of(request, rules) == 200);
  request.authorization = {"bearer 0123456789abcdef"};
  CHECK(status_of(request, rules) == 200);
  request.authorization = {"Bearer wrong", "Bearer 0123456789abcdef"};
  CHECK(status_of(request, rules) == 401);
  request = post();
  request.method = "DELETE";
  CHECK(status_of(request, rules) == 401);
}

TEST_CASE("secrets are the same when all of both is") {
  CHECK(http::same_secret("abc", "abc"));
  CHECK(http::same_secret("", ""));
  CHECK_FALSE(http::same_secret("abc", "abd"));
  CHECK_FALSE(http::same_secret("abc", "xbc"));
  CHECK_FALSE(http::same_secret("abc", "abcd"));
}
