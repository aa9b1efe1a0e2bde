// Names, values, SQLSTATEs and the bounds of protocol messages: what pg does without a server.
#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "pg/bytes.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"
#include "pg/unavailable.hpp"

using base::Exit;

TEST_CASE("names are always quoted, whatever they hold") {
  CHECK(pg::quote_identifier("id") == R"("id")");
  CHECK(pg::quote_identifiers({}).empty());
  CHECK(pg::quote_identifiers({"id", "Odd \"Name\""}) == R"("id", "Odd ""Name""")");
  CHECK(pg::quote_identifier(R"(a"; drop table t; --)") == R"("a""; drop table t; --")");
  CHECK(pg::quote_table({"shop", "Odd Name"}) == R"("shop"."Odd Name")");
  CHECK(pg::quote_literal("it's \\ fine") == R"('it''s \ fine')");
}

TEST_CASE("a COPY field tells NULL, the empty string and every control character apart") {
  const auto field = [](const change::Value& value) {
    std::string out;
    pg::append_copy_value(out, value);
    return out;
  };
  CHECK(field(change::Value::null_value()) == "\\N");
  CHECK(field(change::Value::of("")).empty());
  CHECK(field(change::Value::of("\\N")) == "\\\\N");
  CHECK(field(change::Value::of("a\tb\nc\rd\be\ff\vg\\")) == "a\\tb\\nc\\rd\\be\\ff\\vg\\\\");
  CHECK(field(change::Value::of("žluťoučký")) == "žluťoučký");
}

TEST_CASE("a SQLSTATE decides between trying again and stopping, and the exit code") {
  const auto thrown = [](const std::string& state) -> std::pair<bool, Exit> {
    try {
      pg::throw_sql("backup: cannot run it", state, "said the server");
    } catch (const base::Transient& e) {
      return {true, e.kind()};
    } catch (const base::Error& e) {
      return {false, e.kind()};
    }
  };
  for (const char* heals : {"", "08006", "57P01", "57P02", "57P03", "57P05", "57014", "25P04", "40001", "40P01",
                            "55P03", "53300", "53100"}) {
    INFO(heals);
    CHECK(thrown(heals) == std::pair(true, Exit::unreachable));
  }
  CHECK(thrown("55006") == std::pair(true, Exit::try_later));
  CHECK(thrown("28P01") == std::pair(false, Exit::no_right));
  CHECK(thrown("42501") == std::pair(false, Exit::no_right));
  CHECK(thrown("3D000") == std::pair(false, Exit::config));
  for (const char* stays : {"23505", "22P02", "42P01", "42703", "0A000", "55000", "58P01"}) {
    INFO(stays);
    CHECK(thrown(stays) == std::pair(false, Exit::data));
  }
}

TEST_CASE("only a refusal of rows is worth another way of writing them") {
  for (const char* state : {"23505", "23503", "23514", "22001", "428C9", "P0001"}) CHECK(pg::is_refusal_of_rows(state));
  for (const char* state : {"42P01", "42501", "40001", "08006", "57P01", "55000"})
    CHECK_FALSE(pg::is_refusal_of_rows(state));
  const auto raised = [](const std::string& state, bool inside) {
    try {
      pg::throw_sql("backup: cannot run it", state, "said the server", "", inside);
    } catch (const pg::SqlError& e) {
      return pg::is_refusal_of_rows(e) && pg::is_refusal_of_rows(e.saying("more"));
    }
  };
  CHECK(raised("45000", true));  // a trigger may raise anything
  CHECK(raised("42P01", true));  // its own table, not the statement's
  CHECK_FALSE(raised("42P01", false));
  CHECK_FALSE(raised("42501", true));
}

TEST_CASE("a connection's SQLSTATE is found whatever language the server speaks") {
  try {
    pg::throw_connect("main: cannot connect",
                      "connection to server at \"127.0.0.1\", port 5432 failed: SCHWERWIEGEND:  28P01: Passwort-"
                      "Authentifizierung fehlgeschlagen\nLOCATION:  auth_failed, auth.c:326\n");
    FAIL("nothing thrown");
  } catch (const pg::SqlError& e) {
    CHECK(e.sqlstate() == "28P01");
    CHECK(e.kind() == Exit::no_right);
    CHECK(std::string(e.what()).find('\n') == std::string::npos);
    CHECK(std::string(e.what()).find("LOCATION") == std::string::npos);
  }
  CHECK_THROWS_AS(pg::throw_connect("main: cannot connect", "connection to server failed: Connection refused"),
                  base::Transient);
}

TEST_CASE("no encryption is told apart from no server, and from a connection that broke off just then") {
  const std::string where = "connection to server at \"127.0.0.1\", port 5432 failed: ";
  for (const char* text : {"server does not support SSL, but SSL was required", "SSL error: certificate verify failed",
                           "root certificate file \"/x\" does not exist\nEither provide the file or change sslmode"}) {
    INFO(text);
    try {
      pg::throw_connect("main: cannot connect", where + text, true);
      FAIL("nothing thrown");
    } catch (const pg::NotNow& e) {
      CHECK(e.why() == pg::Unavailable::encryption);
      CHECK(std::string(e.what()).find("; mend ssl = on and the certificate there, or sslmode") != std::string::npos);
    }
  }
  const auto only_away = [&](const std::string& text, bool encrypting) {
    try {
      pg::throw_connect("main: cannot connect", where + text, encrypting);
    } catch (const pg::NotNow&) {
      return false;
    } catch (const base::Transient&) {
      return true;
    }
  };
  CHECK(only_away("server closed the connection unexpectedly", true));
  CHECK(only_away("SSL SYSCALL error: EOF detected", false));
}

TEST_CASE("no message is read past its end") {
  pg::ByteReader bytes(std::string_view("\x01\x02\x03", 3));
  CHECK(bytes.u16() == 0x0102);
  CHECK_THROWS_AS(bytes.u16(), base::Error);
  CHECK(bytes.byte() == 3);
  CHECK(bytes.empty());
  CHECK_THROWS_AS(pg::ByteReader("no end").text(), base::Error);
  std::string out;
  pg::append_big_endian(out, uint64_t{0x0102030405060708});
  CHECK(pg::ByteReader(out).u64() == 0x0102030405060708);
}

TEST_CASE("a server that is starting up is waited for, and FATAL is taken for no SQLSTATE") {
  const auto connecting = [](const std::string& text) -> std::string {
    try {
      pg::throw_connect("primary: cannot connect", text);
    } catch (const base::Transient& e) {
      return std::string("transient ") + e.what();
    } catch (const base::Error& e) {
      return std::to_string(static_cast<int>(e.kind())) + " " + e.what();
    }
  };
  const std::string server = "connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  ";
  CHECK(connecting(server +
                   "57P03: the database system is starting up\nLOCATION:  ProcessStartupPacket, postmaster.c\n") ==
        "transient primary: cannot connect: the database system is starting up (57P03)");
  CHECK_THAT(connecting(server + "28P01: password authentication failed for user \"u\"\nLOCATION:  auth_failed\n"),
             Catch::StartsWith("77 primary: cannot connect: password authentication failed"));
}
