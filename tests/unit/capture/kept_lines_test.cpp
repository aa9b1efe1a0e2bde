// What a filter program may print: lines that it was given, in their order, each once. And the stream that is left.
#include <catch2/catch.hpp>
#include <string>

#include "base/error.hpp"
#include "capture/kept_lines.hpp"

using Catch::Matchers::Contains;

namespace {

const std::string first =
    "{\"type\":\"insert\",\"table\":\"public.a\",\"new\":{\"id\":1,\"t\":\"\xc3\xa4 \\\"x\\\"\"}}\n";
const std::string second = "{\"type\":\"delete\",\"table\":\"public.a\",\"key\":{\"id\":2}}\n";
const std::string third = "{\"type\":\"truncate\",\"tables\":[\"public.a\"]}\n";

capture::FilterChunk sample() {
  capture::FilterChunk chunk;
  chunk.begin("{begin 1}\n");
  chunk.mark("{relation}\n");
  chunk.change(first, {0x10}, 1);
  chunk.change(second, {0x10}, 2);
  chunk.commit({0x10}, {0x20});
  chunk.mark("{keepalive}\n");
  chunk.begin("{begin 2}\n");
  chunk.change(third, {0x30}, 1);
  return chunk;
}

std::string given(const capture::FilterChunk& chunk, size_t i) { return std::string(chunk.line(i)) + '\n'; }

std::vector<bool> keep(const capture::FilterChunk& chunk, const std::string& printed, size_t step = 7) {
  capture::KeptLines kept(chunk, "jq");
  for (size_t at = 0; at < printed.size(); at += step) kept.take(std::string_view(printed).substr(at, step));
  kept.finish();
  return kept.kept();
}

std::string refusal(const std::string& printed) {
  try {
    keep(sample(), printed);
  } catch (const base::Error& failure) {
    CHECK(failure.kind() == base::Exit::data);
    return failure.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("the program is given each change with its operation id") {
  const capture::FilterChunk chunk = sample();
  REQUIRE(chunk.changes() == 3);
  CHECK(given(chunk, 1) ==
        "{\"type\":\"delete\",\"table\":\"public.a\",\"key\":{\"id\":2},\"operation_id\":\"0/10#2\"}\n");
  CHECK(chunk.id(2) == "0/30#1");
  CHECK(chunk.input() == given(chunk, 0) + given(chunk, 1) + given(chunk, 2));
}

TEST_CASE("what is kept comes out as it went in, marks around it, and the commit counts it") {
  const capture::FilterChunk chunk = sample();
  uint64_t count = 0;
  const std::string rest = "{\"type\":\"commit\",\"lsn\":\"0/10\",\"end_lsn\":\"0/20\",\"changes\":";
  CHECK(chunk.without({true, true, true}, count) ==
        "{begin 1}\n{relation}\n" + first + second + rest + "2}\n{keepalive}\n{begin 2}\n" + third);
  CHECK(count == 1);
  CHECK(chunk.without({false, true, false}, count) ==
        "{begin 1}\n{relation}\n" + second + rest + "1}\n{keepalive}\n{begin 2}\n");
  CHECK(count == 0);
  CHECK(chunk.without({false, false, false}, count) ==
        "{begin 1}\n{relation}\n" + rest + "0}\n{keepalive}\n{begin 2}\n");
  // a transaction of two chunks
  capture::FilterChunk more;
  more.change(second, {0x10}, 3);
  more.commit({0x10}, {0x20});
  count = 4;
  CHECK(more.without({true}, count) == second + rest + "5}\n");
}

TEST_CASE("lines are known again, all, some or none of them, and in other words") {
  const capture::FilterChunk chunk = sample();
  CHECK(keep(chunk, chunk.input()) == std::vector<bool>{true, true, true});
  CHECK(keep(chunk, given(chunk, 0) + given(chunk, 2)) == std::vector<bool>{true, false, true});
  CHECK(keep(chunk, given(chunk, 2).substr(0, given(chunk, 2).size() - 1)) == std::vector<bool>{false, false, true});
  CHECK(keep(chunk, "") == std::vector<bool>{false, false, false});
  const std::string python =
      "{\"operation_id\": \"0/10#1\", \"type\": \"insert\", \"new\": {\"t\": \"\\u00e4 \\\"x\\\"\", \"id\": 1}, "
      "\"table\": \"public.a\"}\n";
  CHECK(keep(chunk, python) == std::vector<bool>{true, false, false});
}

TEST_CASE("all else that a program prints is refused, and not repeated") {
  const capture::FilterChunk chunk = sample();
  const std::string one = given(chunk, 0);
  const std::string two = given(chunk, 1);
  CHECK_THAT(refusal("canary\n"),
             Contains("jq: line 1 of what it printed is none that it was given") && !Contains("canary"));
  CHECK_THAT(refusal(one + "\n"), Contains("line 2"));
  CHECK_THAT(refusal(one + "[]\n"), Contains("line 2"));
  CHECK_THAT(refusal("\xff\n"), Contains("line 1"));
  CHECK_THAT(refusal(one + one), Contains("line 2 of what it printed came before"));
  CHECK_THAT(refusal(two + one), Contains("line 2 of what it printed comes after a later one"));
  CHECK_THAT(refusal(first), Contains("it has no operation_id"));
  CHECK_THAT(refusal("{\"operation_id\":7}\n"), Contains("it has no operation_id"));
  CHECK_THAT(refusal("{\"type\":\"delete\",\"operation_id\":\"0/10#3\"}\n"), Contains("operation_id is unknown"));
  CHECK_THAT(refusal("{\"type\":\"delete\",\"operation_id\":\"0/10#2\"}\n"), Contains("is changed"));
  std::string changed = two;
  changed.replace(changed.find("\"id\":2"), 6, "\"id\":3");
  CHECK_THAT(refusal(changed), Contains("is changed"));
  // a row that spells an id is no id
  CHECK_THAT(refusal("{\"type\":\"insert\",\"new\":{\"t\":\",\\\"operation_id\\\":\\\"0/10#1\"}\n"),
             Contains("line 1"));
  CHECK_THAT(refusal(std::string(100000, 'x')), Contains("line 1 of what it printed is longer than any"));
  CHECK_THAT(refusal(one.substr(0, one.size() - 4)), Contains("line 1"));
}
