#include "http/ring.hpp"

#include <catch2/catch.hpp>

using http::Point;
using http::Ring;

TEST_CASE("samples of one step become the worst of them") {
  Ring ring(60, 10);
  ring.add({.time = 1000, .sync_queue_size = 5, .replication_lag = 1.5, .reached = true});
  ring.add({.time = 1004, .sync_queue_size = 90, .replication_lag = {}, .reached = true});
  ring.add({.time = 1009, .sync_queue_size = 7, .replication_lag = 0.5, .reached = false});
  REQUIRE(ring.points().size() == 1);
  CHECK(ring.points()[0] == Point{.time = 1000, .sync_queue_size = 90, .replication_lag = 1.5, .reached = false});
  ring.add({.time = 1010, .sync_queue_size = 0, .replication_lag = {}, .reached = true});
  REQUIRE(ring.points().size() == 2);
  CHECK(ring.json() ==
        R"({"span":60,"step":10,"points":[{"time":1000,"sync_queue_size":90,"replication_lag":1.5,"reached":false},)"
        R"({"time":1010,"sync_queue_size":0,"replication_lag":null,"reached":true}]})"
        "\n");
  ring.add({.time = 1021, .reached = true});
  CHECK(ring.json().find(R"({"time":1021,"sync_queue_size":null,)") != std::string::npos);
  ring.add({.time = 1022, .sync_queue_size = 3, .reached = true});
  CHECK(ring.points().back().sync_queue_size == 3);
}

TEST_CASE("what is older than the span goes") {
  Ring ring(60, 10);
  for (int64_t at = 0; at < 1000; at += 3) ring.add({.time = 5000 + at});
  CHECK(ring.points().size() <= 7);
  CHECK(ring.points().front().time > 5999 - 60);
  CHECK(ring.points().back().time >= 5990);
}

TEST_CASE("a clock that is set back takes the future with it") {
  Ring ring(60, 10);
  ring.add({.time = 1000, .sync_queue_size = 1});
  ring.add({.time = 1020, .sync_queue_size = 2});
  ring.add({.time = 1005, .sync_queue_size = 3});
  REQUIRE(ring.points().size() == 1);
  CHECK(ring.points()[0].sync_queue_size == 3);
}
