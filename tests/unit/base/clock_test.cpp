#include "base/clock.hpp"

#include <catch2/catch.hpp>
#include <ctime>
#include <random>

TEST_CASE("times are written as ISO 8601 in UTC, and read back") {
  for (const auto& [us, text] :
       std::vector<std::pair<int64_t, std::string>>{{0, "1970-01-01T00:00:00.000000Z"},
                                                    {1, "1970-01-01T00:00:00.000001Z"},
                                                    {951782399999999, "2000-02-28T23:59:59.999999Z"},
                                                    {951782400000000, "2000-02-29T00:00:00.000000Z"},
                                                    {1795406706123456, "2026-11-23T04:05:06.123456Z"},
                                                    {4107542400000000, "2100-03-01T00:00:00.000000Z"},
                                                    {253402300799999999, "9999-12-31T23:59:59.999999Z"}}) {
    CHECK(base::iso_time(us) == text);
    CHECK(base::parse_iso_time(text) == us);
  }
}

TEST_CASE("times agree with the C library's") {
  const unsigned seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20000; ++round) {
    const auto us = static_cast<int64_t>(random() % 253402300800000000);
    CAPTURE(seed, us);
    const std::time_t seconds = us / 1000000;
    std::tm tm{};
    gmtime_r(&seconds, &tm);
    char text[64];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
    std::string micros = std::to_string(us % 1000000);
    micros.insert(0, 6 - micros.size(), '0');
    REQUIRE(base::iso_time(us) == text + micros + "Z");
    REQUIRE(base::parse_iso_time(base::iso_time(us)) == us);
  }
}

TEST_CASE("times that no clock gives are written as the nearest that can be read") {
  CHECK(base::iso_time(-1) == "1970-01-01T00:00:00.000000Z");
  CHECK(base::iso_time(INT64_MIN) == "1970-01-01T00:00:00.000000Z");
  CHECK(base::iso_time(INT64_MAX) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("what is no time is not read") {
  for (const char* text : {"",
                           "2026",
                           "2026-11-23",
                           "2026-11-23 04:05:06.123456Z",
                           "2026-11-23T04:05:06.123456",
                           "2026-11-23T04:05:06Z",
                           "2026-11-23T04:05:06.123456z",
                           "2026-11-23T04:05:06.1234567Z",
                           "2026-13-23T04:05:06.123456Z",
                           "2026-00-23T04:05:06.123456Z",
                           "2026-11-31T04:05:06.123456Z",
                           "2026-02-29T04:05:06.123456Z",
                           "2026-11-00T04:05:06.123456Z",
                           "2026-11-23T24:00:00.000000Z",
                           "2026-11-23T04:60:06.123456Z",
                           "2026-11-23T04:05:60.123456Z",
                           "1969-12-31T23:59:59.999999Z",
                           "+026-11-23T04:05:06.123456Z",
                           "2026-1 -23T04:05:06.123456Z",
                           " 026-11-23T04:05:06.123456Z",
                           "2026-11-23T04:05:06.12345-Z"})
    CHECK(base::parse_iso_time(text) == -1);
}
