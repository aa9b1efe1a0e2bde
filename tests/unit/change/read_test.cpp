// What the reader takes that the writer does not write: lines that a program in between has spelled anew.
#include "rows.hpp"

using change::Event;
using change::EventType;

namespace {

constexpr const char* shape_line =
    R"({"type":"relation","table":"public.t","columns":[{"name":"id","type":"integer"},{"name":"txt","type":"text"},)"
    R"({"name":"ok","type":"boolean"}],"key":["id"],"identity":"default"})";
constexpr const char* begin_line = R"({"type":"begin","lsn":"0/10","xid":7})";

}  // namespace

TEST_CASE("members may come in any order, as jq -S sorts them") {
  Lines lines;
  lines.read(
      R"({"columns":[{"type":"integer","name":"id"},{"name":"txt","type":"text"},{"name":"ok","type":"boolean"}],)"
      R"("identity":"default","key":["id"],"table":"public.t","type":"relation"})");
  lines.read(R"({"lsn":"0/10","time":"2026-11-23T04:05:06.123456Z","type":"begin","xid":7})");
  const Event* event =
      &lines.read(R"({"key":{"id":1},"new":{"id":1,"ok":true,"txt":"a"},"table":"public.t","type":"insert"})");
  CHECK(event->type == EventType::insert);
  CHECK(given(event->row) == std::vector<Given>{"1", "a", "t"});
  CHECK(given(event->key) == std::vector<Given>{"1"});
  event = &lines.read(
      R"({"key":{"id":1},"new":{"ok":null,"id":2},"table":"public.t","type":"update","unchanged":["txt"]})");
  CHECK(given(event->row) == std::vector<Given>{"2", absent, null});
  event = &lines.read(R"({"unchanged":[],"type":"update","new":{"id":2},"key":{"id":1},"table":"public.t"})");
  CHECK(given(event->row) == std::vector<Given>{"2", absent, absent});
  event = &lines.read(R"({"key":{"id":1},"table":"public.t","type":"delete"})");
  CHECK(event->type == EventType::remove);
  CHECK(event->ordinal == 4);
  event = &lines.read(R"({"cascade":true,"restart_identity":false,"tables":["public.t"],"type":"truncate"})");
  CHECK(event->cascade);
  event = &lines.read(R"({"changes":5,"end_lsn":"0/20","lsn":"0/10","type":"commit","xxh3":"00000000000000ff"})");
  CHECK(event->checksum == 255);
}

TEST_CASE("space between tokens is no matter") {
  Lines lines;
  lines.read(shape_line);
  lines.read("  { \"type\" :\t\"begin\" , \"lsn\":\"0/10\" }\r");
  const Event& event = lines.read(
      "\t{ \"type\" : \"insert\" , \"table\" : \"public.t\" , \"key\" : { \"id\" : 1 } , \"new\" : { \"id\" : 1 , "
      "\"txt\" "
      ": \" a \" , \"ok\" : null } } ");
  CHECK(given(event.row) == std::vector<Given>{"1", " a ", null});
  CHECK(lines.read(R"({"type":"truncate" , "tables" : [ "public.t" , "public.u" ] })").tables.size() == 2);
}

TEST_CASE("escapes are read wherever a string stands") {
  Lines lines;
  lines.read(
      R"({"\u0074ype":"\u0072elation","table":"public.\u0074","columns":[{"name":"\u0069d","type":"inte\u0067er"},)"
      R"({"name":"txt","type":"text"},{"name":"ok","type":"boolean"}],"key":["i\u0064"]})");
  lines.read(begin_line);
  const Event& event = lines.read(
      R"({"type":"ins\u0065rt","table":"publi\u0063.t","new":{"\u0069d":1,"txt":"\"\\\/\b\f\n\r\t\u00e9\u56F3\ud83d\uDE00"}})");
  CHECK(given(event.row) == std::vector<Given>{"1", "\"\\/\b\f\n\r\t\xc3\xa9\xe5\x9b\xb3\xf0\x9f\x98\x80", absent});
}

TEST_CASE("a table is known by any spelling of its name") {
  Lines lines;
  lines.read(shape_line);
  lines.read(begin_line);
  for (const char* table : {"t", "public.t", "PUBLIC.T", "\\\"public\\\".\\\"t\\\""}) {
    const std::string line = std::string(R"({"type":"insert","table":")") + table + R"(","new":{}})";
    CHECK(lines.read(line).relation == lines.reader.relation("public.t"));
  }
}

TEST_CASE("columns may change their order from line to line") {
  Lines lines;
  lines.read(shape_line);
  lines.read(begin_line);
  for (int i = 0; i < 3; ++i) {
    for (const char* row : {R"("id":1,"txt":"a","ok":true)", R"("ok":true,"id":1,"txt":"a")",
                            R"("txt":"a","ok":true,"id":1)", R"("ok":true,"txt":"a","id":1)"}) {
      const std::string line = std::string(R"({"type":"insert","table":"t","new":{)") + row + "}}";
      CHECK(given(lines.read(line).row) == std::vector<Given>{"1", "a", "t"});
    }
    CHECK(given(lines.read(R"({"type":"insert","table":"t","new":{"ok":false}})").row) ==
          std::vector<Given>{absent, absent, "f"});
  }
}

TEST_CASE("the key's order is the table's, whatever the line's") {
  Lines lines;
  lines.read(
      R"({"type":"relation","table":"public.two","columns":[{"name":"a","type":"text"},{"name":"b","type":"text"}],)"
      R"("key":["b","a"]})");
  CHECK(lines.reader.relation("public.two")->key == std::vector<uint16_t>{0, 1});
  lines.read(begin_line);
  CHECK(given(lines.read(R"({"type":"delete","table":"public.two","key":{"b":"2","a":"1"}})").key) ==
        std::vector<Given>{"1", "2"});
}

TEST_CASE("under FULL a key may hold null") {
  Lines lines;
  lines.read(
      R"({"type":"relation","table":"public.f","columns":[{"name":"a","type":"text"}],"key":["a"],"identity":"full"})");
  lines.read(begin_line);
  CHECK(given(lines.read(R"({"type":"delete","table":"public.f","key":{"a":null}})").key) == std::vector<Given>{null});
}

TEST_CASE("of a table without columns a row can be deleted") {
  Lines lines;
  lines.read(R"({"type":"relation","table":"public.bare","columns":[],"key":[],"identity":"full"})");
  lines.read(begin_line);
  const Event& event = lines.read(R"({"type":"delete","table":"public.bare","key":{}})");
  CHECK(event.type == change::EventType::remove);
  CHECK(event.key.empty());
  std::string line;
  change::append_remove(line, *event.relation, event.key);
  CHECK(line == "{\"type\":\"delete\",\"table\":\"public.bare\",\"key\":{}}\n");
}

TEST_CASE("a shape is replaced by the next one, and events keep theirs") {
  Lines lines;
  lines.read(shape_line);
  lines.read(begin_line);
  const change::Relation* before = lines.read(R"({"type":"insert","table":"t","new":{"id":1}})").relation;
  CHECK(lines.read(shape_line).relation == before);  // an equal shape stays the same one
  const change::Relation* after =
      lines.read(R"({"type":"relation","table":"t","columns":[{"name":"id","type":"bigint"}],"key":["id"]})").relation;
  CHECK(after != before);
  CHECK(before->columns.size() == 3);
  const Event& event = lines.read(R"({"type":"insert","table":"t","new":{"id":"9007199254740993"}})");
  CHECK(event.relation == after);
  CHECK(given(event.row) == std::vector<Given>{"9007199254740993"});
  CHECK(event.ordinal == 2);
  CHECK(lines.reader.relations() == std::vector{after});
}

TEST_CASE("a source line in the middle makes the open transaction void") {
  Lines lines;
  lines.read(shape_line);
  lines.read(begin_line);
  lines.read(R"({"type":"insert","table":"t","new":{"id":1}})");
  CHECK(lines.reader.in_transaction());
  const Event* event =
      &lines.read(R"({"type":"source","system_id":"1","timeline":1,"slot":"s","created":"0/1","lsn":"0/8"})");
  CHECK(event->type == EventType::source);
  CHECK_FALSE(lines.reader.in_transaction());
  CHECK(lines.reader.relations().size() == 1);
  lines.read(begin_line);
  event = &lines.read(R"({"type":"insert","table":"t","new":{"id":1}})");
  CHECK(event->ordinal == 1);
  lines.read(R"({"type":"commit","lsn":"0/10","end_lsn":"0/18"})");
  CHECK_FALSE(lines.reader.in_transaction());
}

TEST_CASE("values stay where they are until the arena is reset") {
  Lines lines;
  lines.read(shape_line);
  lines.read(begin_line);
  std::vector<std::span<change::Value>> rows;
  for (int i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(i);
    rows.push_back(
        lines.read(R"({"type":"insert","table":"t","new":{"id":)" + number + R"(,"txt":"text )" + number + "\"}}").row);
  }
  for (int i = 0; i < 5000; ++i) REQUIRE(rows[static_cast<size_t>(i)][1].text() == "text " + std::to_string(i));
}

TEST_CASE("LSNs are read and written as PostgreSQL does") {
  change::Lsn lsn;
  for (const auto& [text, value] : std::vector<std::pair<std::string, uint64_t>>{{"0/0", 0},
                                                                                 {"0/1A2B3C8", 0x1A2B3C8},
                                                                                 {"1A/0", 0x1A00000000},
                                                                                 {"FFFFFFFF/FFFFFFFF", UINT64_MAX},
                                                                                 {"10/100", 0x1000000100},
                                                                                 {"7/F", 0x70000000F}}) {
    CHECK(change::Lsn{value}.text() == text);
    REQUIRE(change::Lsn::parse(text, lsn));
    CHECK(lsn.value == value);
  }
  CHECK(change::Lsn::parse("0000000a/0000000b", lsn));
  CHECK(lsn.value == 0xA0000000B);
  for (const char* text : {"", "/", "0", "0/", "/0", "0/0/0", " 0/0", "0/0 ", "0/000000000", "g/0", "0/-1", "+1/0"})
    CHECK_FALSE(change::Lsn::parse(text, lsn));
}
