#include <catch2/catch.hpp>
#include <string>

#include "base/hash.hpp"
#include "base/table_name.hpp"
#include "base/utf8.hpp"

TEST_CASE("table names are read as SQL reads them") {
  struct Case {
    const char* text;
    const char* schema;
    const char* name;
    const char* spelled;
  };
  for (const Case& test : std::vector<Case>{
           {"images", "public", "images", "public.images"},
           {"Shop.Orders", "shop", "orders", "shop.orders"},
           {"\"Odd Name\"", "public", "Odd Name", "public.\"Odd Name\""},
           {"shop.\"Odd Name\"", "shop", "Odd Name", "shop.\"Odd Name\""},
           {"\"a.b\".\"c\"\"d\"", "a.b", "c\"d", "\"a.b\".\"c\"\"d\""},
           {"\"plain\".\"words_1$\"", "plain", "words_1$", "plain.words_1$"},
           {"\"1st\"", "public", "1st", "public.\"1st\""},
           {"_x$1", "public", "_x$1", "public._x$1"},
           {"\"; DROP TABLE x; --\"", "public", "; DROP TABLE x; --", "public.\"; DROP TABLE x; --\""},
           {"bücher", "public", "bücher", "public.\"bücher\""},
           {"\"a\nb\"", "public", "a\nb", "public.\"a\nb\""},
       }) {
    CAPTURE(test.text);
    base::TableName table;
    std::string why;
    REQUIRE(base::parse_table_name(test.text, table, why));
    CHECK(table == base::TableName{test.schema, test.name});
    CHECK(table.text() == test.spelled);
    base::TableName again;
    REQUIRE(base::parse_table_name(table.text(), again, why));
    CHECK(again == table);
  }
}

TEST_CASE("what is no table name is refused with the reason") {
  for (const auto& [text, reason] :
       std::vector<std::pair<std::string, std::string>>{{"", "a part of the name is empty"},
                                                        {".", "a part of the name is empty"},
                                                        {"a.", "a part of the name is empty"},
                                                        {".a", "a part of the name is empty"},
                                                        {"\"\"", "a part of the name is empty"},
                                                        {"a.b.c", "more than a schema and a name"},
                                                        {"\"a", "a quoted name has no closing quote"},
                                                        {"\"a\"\"", "a quoted name has no closing quote"},
                                                        {"\"a\"b", "text after the closing quote"},
                                                        {"a b", "the character ' ' needs the name in double quotes"},
                                                        {"1a", "the character '1' needs the name in double quotes"},
                                                        {"a-b", "the character '-' needs the name in double quotes"},
                                                        {"a;b", "the character ';' needs the name in double quotes"},
                                                        {"a\nb", "the character '\\x' needs the name in double quotes"},
                                                        {std::string("\"a\0b\"", 5), "a name cannot hold a NUL byte"},
                                                        {std::string(64, 'a'), "a name longer than 63 bytes"}}) {
    CAPTURE(text);
    base::TableName table;
    std::string why;
    CHECK_FALSE(base::parse_table_name(text, table, why));
    CHECK(why == reason);
  }
  base::TableName table;
  std::string why;
  CHECK(base::parse_table_name(std::string(63, 'a') + "." + std::string(63, 'b'), table, why));
}

namespace {

// Where the first byte that is not UTF-8 stands; the length if there is none.
size_t bad_at(const std::string& text) {
  const char* bad = base::find_bad_utf8(text.data(), text.data() + text.size());
  return bad == nullptr ? text.size() : static_cast<size_t>(bad - text.data());
}

std::string encoded(uint32_t code) {
  const auto byte = [](uint32_t value) { return std::string(1, static_cast<char>(value)); };
  const auto rest = [&byte](uint32_t value) { return byte(0x80 | (value & 0x3f)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) return byte(0xc0 | code >> 6) + rest(code);
  if (code < 0x10000) return byte(0xe0 | code >> 12) + rest(code >> 6) + rest(code);
  return byte(0xf0 | code >> 18) + rest(code >> 12) + rest(code >> 6) + rest(code);
}

}  // namespace

TEST_CASE("every code point is UTF-8, surrogates and what is above are not") {
  for (uint32_t code = 0; code < 0x120000; ++code) {
    const std::string text = encoded(code);
    const bool good = code <= 0x10ffff && (code < 0xd800 || code >= 0xe000);
    if (bad_at(text) != (good ? text.size() : 0)) FAIL("code point " << code);
  }
}

TEST_CASE("overlong forms, lone bytes and cut characters are not UTF-8") {
  for (const std::string& text :
       std::vector<std::string>{"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf",
                                "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98",
                                "\xc3(", "\xe2(\xac", "\xe2\x82(", "\xf0\x9f\x98("})
    for (const std::string before : {"", "1234567", "12345678", "\xc3\xa4\xc3\xa4\xc3\xa4", "1234567\xe5\x9b\xb3"})
      for (const char* after : {"", "x", "xxxxxxxxxxxxxxxx"}) {
        if (*after == '\0' || text.back() != '(') CHECK(bad_at(before + text + after) == before.size());
      }
}

TEST_CASE("hashes are XXH3's, in any pieces") {
  CHECK(base::hex16(base::hash_bytes("")) == "2d06800538d394c2");  // XXH3_64bits of nothing
  const std::string text = "a change is a line of JSON; the queue is a directory; a pass is a pipeline";
  base::Hasher whole;
  whole.add(text);
  CHECK(whole.value() == base::hash_bytes(text));
  base::Hasher pieces;
  for (const char c : text) pieces.add({&c, 1});
  CHECK(pieces.value() == whole.value());
  base::Hasher chained;
  chained.reset(1);
  chained.add(text);
  CHECK(chained.value() != whole.value());
  chained.reset(0);
  chained.add(text);
  CHECK(chained.value() == whole.value());
}

TEST_CASE("hex is 16 lower-case digits") {
  uint64_t value = 0;
  for (const auto& [number, text] : std::vector<std::pair<uint64_t, std::string>>{
           {0, "0000000000000000"}, {0x0123456789abcdef, "0123456789abcdef"}, {UINT64_MAX, "ffffffffffffffff"}}) {
    CHECK(base::hex16(number) == text);
    REQUIRE(base::parse_hex16(text, value));
    CHECK(value == number);
  }
  for (const char* text : {"", "0", "00000000000000000", "000000000000000g", "00000000000000AB", "0x00000000000000",
                           "-000000000000001", " 00000000000000f"})
    CHECK_FALSE(base::parse_hex16(text, value));
}
