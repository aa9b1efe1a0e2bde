// The loops over many bytes at once, against the same question asked byte by byte.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "change/json_scan.hpp"

namespace {

bool plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

}  // namespace

TEST_CASE("each byte is told apart at each place") {
  for (int value = 0; value < 256; ++value) {
    for (size_t at = 0; at < change::scan_step; ++at) {
      std::string text(change::scan_step, 'x');
      text[at] = static_cast<char>(value);
      CAPTURE(value, at);
      char copy[change::scan_step];
      const change::Scanned found = change::scan_copy(text.data(), copy);
      REQUIRE(found.plain == (plain(text[at]) ? change::scan_step : at));
      REQUIRE((found.high != 0) == (value >= 0x80));
      REQUIRE(std::string(copy, found.plain) == text.substr(0, found.plain));
      for (size_t size = at; size <= text.size(); ++size)
        REQUIRE(change::plain_run(text.data(), size) == (plain(text[at]) ? size : std::min(at, size)));
    }
  }
}

TEST_CASE("what comes after the first special byte does not matter") {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const std::string bytes = "ax\"\\\x01\x1f\x20\x7f\x80\xc3\xff!#[]";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    while (text.size() < change::scan_step * 2)
      text += bytes[random() % (round % 2 == 0 ? 2 + random() % 3 : bytes.size())];
    CAPTURE(seed, round);
    size_t first = 0;
    bool high = false;
    while (first < change::scan_step && plain(text[first])) high |= static_cast<unsigned char>(text[first++]) >= 0x80;
    char copy[change::scan_step];
    const change::Scanned found = change::scan_copy(text.data(), copy);
    REQUIRE(found.plain == first);
    REQUIRE((found.high != 0) == high);
    size_t run = 0;
    while (run < text.size() && plain(text[run])) ++run;
    REQUIRE(change::plain_run(text.data(), text.size()) == run);
  }
}

TEST_CASE("names are compared to their last byte") {
  for (size_t size = 4; size < 40; ++size) {
    const std::string a(size, 'n');
    CHECK(change::same(a.data(), a.data(), size));
    for (size_t at = 0; at < size; ++at) {
      std::string b = a;
      b[at] = 'm';
      CHECK_FALSE(change::same(a.data(), b.data(), size));
    }
  }
}
