#include "http/listen.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

TEST_CASE("what only this machine reaches") {
  for (const char* const near : {"127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"}) {
    CHECK(http::is_loopback(near));
  }
  for (const char* const far : {"0.0.0.0", "::", "192.0.2.7", "2001:db8::1"}) CHECK_FALSE(http::is_loopback(far));
  CHECK_THROWS_AS(http::is_loopback("no address"), base::Error);
}

TEST_CASE("an address that is not ours is a matter of the configuration") {
  try {
    http::listen_on("192.0.2.7", {0});
    FAIL("listens there");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::Exit::config);
  }
}
