// Forms against what `COPY … TO STDOUT (FORMAT binary)` of a PostgreSQL 15 gives for the same values; that a server
// takes them back unchanged is proven by tests/e2e/values_test.sh.
#include <catch2/catch.hpp>

#include <string>
#include <string_view>

#include "pg/binary.hpp"

namespace {

using pg::Binary;

// The bytes after the length, in hex; "text" where the value has to go as text.
std::string form(Binary type, std::string_view text) {
  std::string out = "before";
  if (!pg::append_binary(out, type, text)) return out == "before" ? "text" : "left something";
  std::string hex;
  for (const char c : std::string_view(out).substr(6)) {
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  const size_t size = std::stoul(hex.substr(0, 8), nullptr, 16);
  return hex.size() == 8 + 2 * size ? hex.substr(8) : "wrong length";
}

}  // namespace

TEST_CASE("binary forms are those of the server") {
  CHECK(form(Binary::boolean, "t") == "01");
  CHECK(form(Binary::boolean, "false") == "00");
  CHECK(form(Binary::int2, "-32768") == "8000");
  CHECK(form(Binary::int4, "1500001") == "0016e361");
  CHECK(form(Binary::int8, "-9223372036854775808") == "8000000000000000");
  CHECK(form(Binary::float4, "3.4028235e+38") == "7f7fffff");
  CHECK(form(Binary::float8, "1.5") == "3ff8000000000000");
  CHECK(form(Binary::float8, "-0") == "8000000000000000");
  CHECK(form(Binary::float8, "5e-324") == "0000000000000001");
  CHECK(form(Binary::float8, "-Infinity") == "fff0000000000000");
  CHECK(form(Binary::float8, "NaN") == "7ff8000000000000");
  CHECK(form(Binary::text, "") == "");
  CHECK(form(Binary::jsonb, "{}") == "017b7d");
  CHECK(form(Binary::bytea, "\\x00ff") == "00ff");
  CHECK(form(Binary::uuid, "00112233-4455-6677-8899-aabbccddeeff") == "00112233445566778899aabbccddeeff");
  CHECK(form(Binary::date, "2000-01-01") == "00000000");
  CHECK(form(Binary::date, "1999-12-31") == "ffffffff");
  CHECK(form(Binary::date, "infinity") == "7fffffff");
  CHECK(form(Binary::timestamptz, "-infinity") == "8000000000000000");
  CHECK(form(Binary::timestamp, "2000-01-01 00:00:01") == "00000000000f4240");
  CHECK(form(Binary::timestamptz, "2000-01-01 00:00:00.5+00") == "000000000007a120");
}

TEST_CASE("numerics keep the digits that they show") {
  CHECK(form(Binary::numeric, "0") == "0000000000000000");
  CHECK(form(Binary::numeric, "0.00") == "0000000000000002");
  CHECK(form(Binary::numeric, "1.0") == "00010000000000010001");
  CHECK(form(Binary::numeric, "-12345.678") == "0003000140000003000109291a7c");
  CHECK(form(Binary::numeric, "0.0001") == "0001ffff000000040001");
  CHECK(form(Binary::numeric, "10000") == "00010001000000000001");
}

TEST_CASE("what the server would not have written goes as text") {
  CHECK(form(Binary::boolean, "yes") == "text");
  CHECK(form(Binary::int4, "2147483648") == "text");
  CHECK(form(Binary::int4, " 1") == "text");
  CHECK(form(Binary::int4, "") == "text");
  CHECK(form(Binary::float8, "1e999") == "text");
  CHECK(form(Binary::float8, "1.5x") == "text");
  CHECK(form(Binary::numeric, "NaN") == "text");
  CHECK(form(Binary::numeric, "1e5") == "text");
  CHECK(form(Binary::numeric, ".5") == "text");
  CHECK(form(Binary::bytea, "\\x0") == "text");
  CHECK(form(Binary::bytea, "abc") == "text");
  CHECK(form(Binary::uuid, "{00112233-4455-6677-8899-aabbccddeeff}") == "text");
  CHECK(form(Binary::date, "0044-03-15 BC") == "text");
  CHECK(form(Binary::date, "2023-02-29") == "text");
  CHECK(form(Binary::date, "0000-01-01") == "text");
  CHECK(form(Binary::date, "12345-01-01") == "text");
  CHECK(form(Binary::timestamp, "2024-01-01T00:00:00") == "text");
  CHECK(form(Binary::timestamp, "2024-01-01 24:00:00") == "text");
  CHECK(form(Binary::timestamp, "2024-01-01 00:00:00.1234567") == "text");
  CHECK(form(Binary::timestamptz, "2024-01-01 00:00:00") == "text");
  CHECK(form(Binary::timestamptz, "2024-01-01 00:00:00+02") == "text");
}
