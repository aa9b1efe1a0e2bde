// What the writer writes the reader reads, value by value.
#include <random>

#include "rows.hpp"

using change::Event;
using change::EventType;
using change::Identity;
using change::Lsn;
using change::Relation;

namespace {

std::string begun(const Relation& shape) {
  std::string out;
  append_relation(out, shape);
  change::append_begin(out, {0x1A2B3C8}, 7421, 1795406706123456);
  return out;
}

// The values after an insert, an update and a delete of each of them as the row's only, or key, column.
void check_text(const std::string& text) {
  CAPTURE(text.size(), text.substr(0, 100));
  const Relation shape = relation("public.t", {{"id", "integer"}, {"txt", "text"}}, {1}, Identity::index);
  Lines lines;
  std::string out = begun(shape);
  const std::vector<Given> row{"1", text};
  const std::vector<Given> key{text};
  append_insert(out, shape, values(key), values(row));
  const Event& insert = lines.read_written(out);
  CHECK(given(insert.row) == row);
  CHECK(given(insert.key) == key);
  out.clear();
  append_remove(out, shape, values(key));
  CHECK(given(lines.read_written(out).key) == key);
}

}  // namespace

TEST_CASE("every type of line comes back as it was written") {
  const Relation shape = relation("public.images", {{"id", "integer"}, {"url", "text"}, {"exif", "json"}}, {0});
  Lines lines;
  std::string out;

  const change::Source source{"7314159265358979323", 3, "pgtandem_backup_node", {0x1570000}};
  append_source(out, source, {0x1590000});
  CHECK(out == R"({"type":"source","system_id":"7314159265358979323","timeline":3,"slot":"pgtandem_backup_node",)"
               R"("created":"0/1570000","lsn":"0/1590000"})"
               "\n");
  const Event* event = &lines.read_written(out);
  CHECK(event->type == EventType::source);
  CHECK(event->source == source);
  CHECK(event->lsn == Lsn{0x1590000});
  CHECK(event->operations == 0);

  out.clear();
  const uint64_t operations = UINT64_MAX;
  append_source(out, source, {UINT64_MAX}, &operations);
  event = &lines.read_written(out);
  CHECK(event->operations == operations);
  CHECK(event->lsn == Lsn{UINT64_MAX});

  out.clear();
  append_relation(out, shape);
  CHECK(out == R"({"type":"relation","table":"public.images","columns":[{"name":"id","type":"integer"},)"
               R"({"name":"url","type":"text"},{"name":"exif","type":"json"}],"key":["id"],"identity":"default"})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::relation);
  REQUIRE(event->relation != nullptr);
  CHECK(*event->relation == shape);
  CHECK(lines.reader.relation("public.images") == event->relation);
  CHECK(lines.reader.relations() == std::vector{event->relation});

  out.clear();
  change::append_begin(out, {0x1A2B3C8}, UINT32_MAX, 1795406706123456);
  CHECK(out == R"({"type":"begin","lsn":"0/1A2B3C8","xid":4294967295,"time":"2026-11-23T04:05:06.123456Z"})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::begin);
  CHECK(event->lsn == Lsn{0x1A2B3C8});
  CHECK(event->xid == UINT32_MAX);
  CHECK(event->time == 1795406706123456);
  CHECK(lines.reader.in_transaction());

  out.clear();
  const std::vector<Given> key{"42"};
  const std::vector<Given> row{"42", "http://x/?a=1&b=\"2\"", null};
  append_insert(out, shape, values(key), values(row));
  CHECK(out == R"({"type":"insert","table":"public.images","key":{"id":42},)"
               R"("new":{"id":42,"url":"http://x/?a=1&b=\"2\"","exif":null}})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::insert);
  CHECK(event->ordinal == 1);
  CHECK(*event->relation == shape);
  CHECK(given(event->key) == key);
  CHECK(given(event->row) == row);

  out.clear();
  const std::vector<Given> changed{"43", "", absent};
  append_update(out, shape, values(key), values(changed));
  CHECK(out ==
        R"({"type":"update","table":"public.images","key":{"id":42},"new":{"id":43,"url":""},"unchanged":["exif"]})"
        "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::update);
  CHECK(event->ordinal == 2);
  CHECK(given(event->key) == key);
  CHECK(given(event->row) == changed);

  out.clear();
  append_remove(out, shape, values(key));
  CHECK(out == R"({"type":"delete","table":"public.images","key":{"id":42}})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::remove);
  CHECK(event->ordinal == 3);
  CHECK(given(event->key) == key);
  CHECK(event->row.empty());

  out.clear();
  const std::vector<base::TableName> tables{{"public", "images"}, {"Shop", "a\"b;c"}};
  change::append_truncate(out, tables, true, false);
  CHECK(out == R"({"type":"truncate","tables":["public.images","\"Shop\".\"a\"\"b;c\""],)"
               R"("restart_identity":true,"cascade":false})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::truncate);
  CHECK(event->ordinal == 4);
  CHECK(event->tables == tables);
  CHECK(event->restart_identity);
  CHECK_FALSE(event->cascade);

  out.clear();
  change::append_commit(out, {0x1A2B3C8}, {0x1A2B3F8}, 4);
  CHECK(out == R"({"type":"commit","lsn":"0/1A2B3C8","end_lsn":"0/1A2B3F8","changes":4})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::commit);
  CHECK(event->lsn == Lsn{0x1A2B3C8});
  CHECK(event->end_lsn == Lsn{0x1A2B3F8});
  CHECK(event->changes == 4);
  CHECK_FALSE(event->has_checksum);
  CHECK_FALSE(lines.reader.in_transaction());

  out.clear();
  change::append_keepalive(out, {0x15A0000}, 1795406706000000);
  CHECK(out == R"({"type":"keepalive","lsn":"0/15A0000","time":"2026-11-23T04:05:06.000000Z"})"
               "\n");
  event = &lines.read_written(out);
  CHECK(event->type == EventType::keepalive);
  CHECK(event->lsn == Lsn{0x15A0000});
  CHECK(event->time == 1795406706000000);
}

TEST_CASE("a checksum goes into a commit line and is found again") {
  std::string line;
  change::append_commit(line, {1}, {2}, UINT64_MAX);
  const std::string bare = line;
  CHECK(change::checksum_position(std::string_view(bare).substr(0, bare.size() - 1)) == std::string::npos);
  change::append_checksum(line, 0x0123456789abcdef);
  CHECK(line ==
        R"({"type":"commit","lsn":"0/1","end_lsn":"0/2","changes":18446744073709551615,"xxh3":"0123456789abcdef"})"
        "\n");
  CHECK(change::checksum_position(std::string_view(line).substr(0, line.size() - 1)) == bare.size() - 2);
  Lines lines;
  lines.read(R"({"type":"begin","lsn":"0/1"})");
  const Event& event = lines.read_written(line);
  CHECK(event.has_checksum);
  CHECK(event.checksum == 0x0123456789abcdef);
  CHECK(event.changes == UINT64_MAX);
}

TEST_CASE("awkward texts come back byte for byte") {
  std::string controls;
  for (char c = 1; c < 0x20; ++c) controls += c;
  for (const std::string& text : std::vector<std::string>{"",
                                                          " ",
                                                          "null",
                                                          "true",
                                                          "\"",
                                                          "\\",
                                                          "\\\\",
                                                          "\"quoted\"",
                                                          "a\\\"b",
                                                          "C:\\new\\table",
                                                          "/*",
                                                          "</script>",
                                                          "a\tb\nc\rd",
                                                          controls,
                                                          "\x7f",
                                                          "NaN",
                                                          "-0",
                                                          "1e308",
                                                          "{\"a\":[1,{\"b\":null}]}",
                                                          "\\xdeadbeef\\x00",
                                                          R"("a"=>"1", "b"=>NULL, "c \"d\" \\"=>"")",
                                                          "{1,NULL,\"a,b\",\"\"}",
                                                          "[2021-01-01,infinity)",
                                                          "'; DROP TABLE t; --",
                                                          "\xc3\xa4\xc3\xb6\xc3\xbc",
                                                          "\xe5\x9b\xb3\xe6\x9b\xb8\xe9\xa4\xa8",
                                                          "\xf0\x9f\x98\x80",
                                                          "\xef\xbf\xbf",
                                                          "\xef\xbb\xbf",
                                                          "\xf4\x8f\xbf\xbf",
                                                          "\xe2\x80\xa8\xe2\x80\xa9",
                                                          "e\xcc\x81",
                                                          "\xc2\x80",
                                                          "\xed\x9f\xbf",
                                                          "\xee\x80\x80"})
    check_text(text);
}

TEST_CASE("texts of every length come back, plain, with a quote and with an accent anywhere") {
  for (size_t length = 0; length <= 70; ++length) {
    check_text(std::string(length, 'x'));
    for (size_t i = 0; i < length; ++i) {
      std::string text(length, 'x');
      text[i] = '"';
      check_text(text);
      text[i] = '\x01';
      check_text(text);
      check_text(text.replace(i, 1, "\xc3\xa9"));
    }
  }
}

TEST_CASE("very long values come back") {
  std::string text(8 << 20, 'x');
  for (size_t i = 0; i < text.size(); i += 4093) text[i] = "\"\\\n\t"[i / 4093 % 4];
  check_text(text);
}

TEST_CASE("the limits of numbers come back") {
  const Relation shape = relation(
      "public.n",
      {{"i", "integer"}, {"s", "smallint"}, {"o", "oid"}, {"b", "boolean"}, {"big", "bigint"}, {"n", "numeric"}}, {0});
  std::string out = begun(shape);
  Lines lines;
  lines.read_written(out);
  for (const std::vector<Given>& row :
       std::vector<std::vector<Given>>{{"2147483647", "32767", "4294967295", "t", "9223372036854775807", "NaN"},
                                       {"-2147483648", "-32768", "0", "f", "-9223372036854775808", "-Infinity"},
                                       {"0", "0", "1", null, "0", "1.00"},
                                       {"-1", null, null, null, null, "0.000000000000000000000000000000000001"}}) {
    out.clear();
    append_insert(out, shape, {}, values(row));
    const Event& event = lines.read_written(out);
    CHECK(given(event.row) == row);
    CHECK(event.key.empty());
  }
}

TEST_CASE("a zero with a sign is zero") {
  const Relation shape = relation("public.n", {{"i", "integer"}}, {0});
  Lines lines;
  lines.read_written(begun(shape));
  CHECK(given(lines.read(R"({"type":"insert","table":"public.n","new":{"i":-0}})").row) == std::vector<Given>{"0"});
}

TEST_CASE("names come back, however odd") {
  const std::string longest(63, 'n');
  const std::string accents = "\xc3\x84" + std::string(61, 'x');
  const Relation shape = relation("\"Odd Schema\".\"" + longest + "\"",
                                  {{longest, "text"},
                                   {accents, "\"My Type\""},
                                   {"a\"b", "text"},
                                   {"c\\d", "text"},
                                   {"e\nf", "text"},
                                   {"type", "text"},
                                   {"x'; --", "text[]"},
                                   {" ", "public.\"Enum\""}},
                                  {0, 2, 4});
  std::string out = begun(shape);
  const std::vector<Given> row{"0", "1", "2", "3", "4", "5", "6", "7"};
  const std::vector<Given> key{"0", "2", "4"};
  append_update(out, shape, values(key), values(row));
  Lines lines;
  const Event& event = lines.read_written(out);
  CHECK(*event.relation == shape);
  CHECK(given(event.row) == row);
  CHECK(given(event.key) == key);
}

TEST_CASE("identities come back") {
  for (const auto identity : {Identity::primary_key, Identity::index, Identity::full, Identity::nothing}) {
    const Relation shape = relation("public.t", {{"a", "text"}, {"b", "text"}},
                                    identity == Identity::full      ? std::vector<uint16_t>{0, 1}
                                    : identity == Identity::nothing ? std::vector<uint16_t>{}
                                                                    : std::vector<uint16_t>{1},
                                    identity);
    std::string out;
    append_relation(out, shape);
    Lines lines;
    CHECK(*lines.read_written(out).relation == shape);
  }
}

TEST_CASE("a row of the most columns comes back") {
  std::vector<std::pair<std::string, std::string>> columns;
  std::vector<Given> row;
  for (size_t i = 0; i < 1600; ++i) {
    columns.emplace_back("c" + std::to_string(i), i % 3 == 0 ? "integer" : "text");
    row.push_back(i % 7 == 6 ? absent : Given(std::to_string(i)));
  }
  const Relation shape = relation("public.wide", columns, {0});
  std::string out = begun(shape);
  append_update(out, shape, values({"0"}), values(row));
  Lines lines;
  CHECK(given(lines.read_written(out).row) == row);
}

TEST_CASE("random rows come back") {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  static const std::vector<std::string> pieces = {"a",
                                                  "plain text",
                                                  "\"",
                                                  "\\",
                                                  "\n",
                                                  "\x01",
                                                  "\xc3\xa9",
                                                  "\xe5\x9b\xb3",
                                                  "\xf0\x9f\x98\x80",
                                                  "\\u0041",
                                                  "{",
                                                  "}",
                                                  ",",
                                                  ":",
                                                  "0123456789abcdef"};
  const auto text = [&] {
    std::string out;
    for (size_t n = below(12); n > 0; --n) out += pieces[below(pieces.size())];
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    CAPTURE(seed, round);
    std::vector<std::pair<std::string, std::string>> columns;
    for (size_t i = 0, n = 1 + below(40); i < n; ++i)
      columns.emplace_back(std::to_string(i) + pieces[below(pieces.size())],
                           std::vector<std::string>{"text", "integer", "boolean"}[below(3)]);
    std::vector<uint16_t> key;
    for (uint16_t i = 0; i < columns.size(); ++i)
      if (i == 0 || below(5) == 0) key.push_back(i);
    const Relation shape = relation("public.r", columns, key);
    Lines lines;
    lines.read_written(begun(shape));
    for (int n = 0; n < 20; ++n) {
      std::vector<Given> row;
      std::vector<Given> row_key;
      for (const auto& [name, type] : columns) {
        const auto value = [&]() -> Given {
          if (type == "integer") return std::to_string(static_cast<int32_t>(random()));
          if (type == "boolean") return below(2) == 0 ? "t" : "f";
          return text();
        };
        row.push_back(below(8) == 0 ? null : below(8) == 0 ? absent : value());
        row_key.push_back(value());
      }
      std::vector<Given> keys;
      for (const uint16_t i : key) keys.push_back(row_key[i]);
      std::string out;
      append_update(out, shape, values(keys), values(row));
      const Event& event = lines.read_written(out);
      REQUIRE(given(event.row) == row);
      REQUIRE(given(event.key) == keys);
    }
  }
}
