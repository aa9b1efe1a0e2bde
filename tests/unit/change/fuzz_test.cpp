// The reader against another JSON parser, on lines damaged at random: what it takes is JSON with those values, what it
// calls malformed is none.
#include <nlohmann/json.hpp>
#include <random>

#include "rows.hpp"

namespace {

const std::vector<std::string> seeds = {
    R"({"type":"insert","table":"public.t","key":{"id":42},"new":{"id":42,"txt":"a \"quoted\" \u00e9\ud83d\ude00 text","ok":true}})",
    R"({"type":"update","table":"public.t","key":{"id":42},"new":{"id":-7,"ok":null},"unchanged":["txt"]})",
    R"({"key":{"id":42},"new":{"id":-7,"txt":"x\\y\n"},"table":"public.t","type":"insert"})",
    R"({ "type" : "delete" , "table" : "public.t" , "key" : { "id" : 0 } })",
    R"({"type":"copy","tables":["public.t"]})",
    R"({"type":"truncate","tables":["public.t","\"a\"\"b\".c"],"restart_identity":false,"cascade":true})",
    "{\"type\":\"insert\",\"table\":\"public.t\",\"new\":{\"txt\":\"\xc3\xa4 \xe5\x9b\xb3 "
    "\xf0\x9f\x98\x80\",\"id\":1}}",
};
// What is likely to matter where it is put. (No raw NUL: the other parser takes it for the end.)
const std::vector<std::string> pieces = {
    "\"",       "\\",      "{",       "}",       "[",    "]",    ",",    ":",        "0",
    "-",        ".",       "e",       " ",       "\n",   "\x01", "\xc3", "\xa9",     "\xed\xa0\x80",
    "\xf0\x9f", "\\u0000", "\\ud800", "\\u00e9", "null", "true", "x",    "\"id\":1,"};

std::string damage(std::string line, std::mt19937& random) {
  for (size_t n = 1 + random() % 3; n > 0; --n) {
    const size_t at = random() % (line.size() + 1);
    switch (random() % 4) {
      case 0:
        line.insert(at, pieces[random() % pieces.size()]);
        break;
      case 1:
        line.erase(at, 1 + random() % 3);
        break;
      case 2:
        line.resize(at);
        break;
      default:
        line.replace(at, 1, pieces[random() % pieces.size()]);
    }
  }
  return line;
}

// The value as our reader has it.
Given as_given(const nlohmann::json& value) {
  if (value.is_null()) return null;
  if (value.is_boolean()) return value.get<bool>() ? "t" : "f";
  if (value.is_number()) return value.dump();
  return value.get<std::string>();
}

void compare_row(const nlohmann::json& json, std::span<const change::Value> row) {
  const std::vector<std::string> columns = {"id", "txt", "ok"};
  const std::vector<Given> read = given(row);
  for (size_t i = 0; i < row.size(); ++i)
    REQUIRE(read[i] == (json.contains(columns[i]) ? as_given(json[columns[i]]) : absent));
}

}  // namespace

TEST_CASE("damaged lines are taken or refused as another parser does") {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  size_t taken = 0;
  Lines lines;
  lines.read(
      R"({"type":"relation","table":"public.t","columns":[{"name":"id","type":"integer"},{"name":"txt","type":"text"},)"
      R"({"name":"ok","type":"boolean"}],"key":["id"]})");
  lines.read(R"({"type":"begin","lsn":"0/10"})");
  for (int round = 0; round < 20000; ++round) {
    const std::string line = damage(seeds[random() % seeds.size()], random);
    CAPTURE(seed, round, line);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const change::Event* event = nullptr;
    std::string refusal;
    try {
      event = &lines.read(line);
    } catch (const base::Error& error) {
      refusal = error.what();
    }
    if (refusal.find("malformed JSON") != refusal.npos || refusal.find("not UTF-8") != refusal.npos)
      REQUIRE(json.is_discarded());
    if (event == nullptr) continue;
    REQUIRE(!json.is_discarded());
    ++taken;
    if (event->relation == nullptr) continue;
    if (json.contains("new")) compare_row(json["new"], event->row);
    if (json.contains("key")) compare_row(json["key"], event->key);
    if (lines.number % 1000 == 0) lines.arena.reset();
  }
  CHECK(taken > 100);  // or the damage is too great to tell anything
}
