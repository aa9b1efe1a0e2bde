// Where a connection string leads, as people are told.
#include <catch2/catch.hpp>

#include "pg/address.hpp"

TEST_CASE("host and port of a connection string in each of its forms; nothing where it does not say") {
  const auto leads = [](const char* text, const char* host, int port) {
    const pg::Address address = pg::address_of(text);
    INFO(text);
    CHECK(address.host == host);
    CHECK(address.port == port);
  };
  leads("postgresql://user:secret@db1:5433/crawler", "db1", 5433);
  leads("host=db1 port=5434 dbname=crawler", "db1", 5434);
  leads("postgresql://db1:1,db2:2/crawler", "db1", 1);
  leads("dbname=crawler", "", 0);
  leads("postgresql://[broken", "", 0);
}
