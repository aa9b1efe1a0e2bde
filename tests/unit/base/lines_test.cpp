#include "base/lines.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "base/error.hpp"

namespace {

// A source that gives `text`, at most `step` bytes a time.
struct Given {
  std::string text;
  size_t step = 1 << 30;
  size_t at = 0;
  size_t reads = 0;
  size_t operator()(char* to, size_t size) {
    const size_t n = std::min({size, step, text.size() - at});
    std::memcpy(to, text.data() + at, n);
    at += n;
    ++reads;
    return n;
  }
};

std::string refusal(base::LineBuffer& lines) {
  std::string_view line;
  try {
    while (lines.next(line)) {
    }
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::Exit::data);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("lines come whole, whatever pieces they are read in") {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  for (const size_t step : {1, 2, 7, 1 << 30}) {
    CAPTURE(seed, step);
    std::vector<std::string> expected;
    std::string text;
    for (int i = 0; i < 500; ++i) {
      expected.push_back(std::string(random() % 40, static_cast<char>('a' + i % 26)));
      text += expected.back() + "\n";
    }
    Given given{text, step};
    base::LineBuffer lines(std::ref(given), 1000, "test");
    std::string_view line;
    for (size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(lines.next(line));
      REQUIRE(line == expected[i]);
      REQUIRE(lines.line_number() == i + 1);
    }
    CHECK_FALSE(lines.next(line));
    CHECK(lines.partial() == 0);
  }
}

TEST_CASE("an unfinished line waits for its end") {
  Given given{"one\ntw", 100};
  base::LineBuffer lines(std::ref(given), 1000, "test");
  std::string_view line;
  CHECK_FALSE(lines.ready());
  REQUIRE(lines.next(line));
  CHECK(line == "one");
  CHECK_FALSE(lines.ready());
  CHECK_FALSE(lines.next(line));
  CHECK(lines.partial() == 2);
  given.text += "o\n\nthree\n";
  REQUIRE(lines.next(line));
  CHECK(line == "two");
  CHECK(lines.ready());
  REQUIRE(lines.next(line));
  CHECK(line.empty());
  CHECK(lines.line_number() == 3);
  lines.clear();
  CHECK(lines.partial() == 0);
  CHECK_FALSE(lines.ready());
}

TEST_CASE("64 bytes after a line are readable") {
  Given given{std::string((1 << 20) - 1, 'x') + "\n", 1 << 30};
  base::LineBuffer lines(std::ref(given), 1 << 20, "test");
  std::string_view line;
  REQUIRE(lines.next(line));
  char beyond[64];
  std::memcpy(beyond, line.data() + line.size(), sizeof beyond);
  CHECK(beyond[0] == '\n');
}

TEST_CASE("a line of the greatest length is taken, a longer one is not") {
  Given fits{"a\n" + std::string(100, 'x') + "\n"};
  base::LineBuffer lines(std::ref(fits), 100, "in");
  std::string_view line;
  REQUIRE(lines.next(line));
  REQUIRE(lines.next(line));
  CHECK(line.size() == 100);

  Given with_end{"a\n" + std::string(101, 'x') + "\n"};
  base::LineBuffer ended(std::ref(with_end), 100, "in");
  CHECK(refusal(ended) == "in:2: a line longer than 100 bytes; no change may be so long");
  Given without_end{"a\n" + std::string(101, 'x'), 10};
  base::LineBuffer unended(std::ref(without_end), 100, "in");
  CHECK(refusal(unended) == "in:2: a line longer than 100 bytes; no change may be so long");
}

TEST_CASE("a line without end is refused before much more of it is read") {
  size_t given = 0;
  base::LineBuffer lines(
      [&given](char* to, size_t size) {
        std::memset(to, 'x', size);
        given += size;
        return size;
      },
      8 << 20, "in");
  CHECK(refusal(lines) == "in:1: a line longer than 8388608 bytes; no change may be so long");
  CHECK(given <= (8 << 20) + (1 << 20));
}

TEST_CASE("lines after a very long one are whole") {
  std::string text = std::string(40 << 20, 'x') + "\n";
  for (int i = 0; i < 100000; ++i) text += std::to_string(i) + "\n";
  Given given{text, 100000};
  base::LineBuffer lines(std::ref(given), 64 << 20, "in");
  std::string_view line;
  REQUIRE(lines.next(line));
  CHECK(line.size() == 40 << 20);
  for (int i = 0; i < 100000; ++i) {
    REQUIRE(lines.next(line));
    REQUIRE(line == std::to_string(i));
  }
}
