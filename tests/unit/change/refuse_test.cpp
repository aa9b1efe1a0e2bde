// Every way that a line can be wrong, with the place and the words of its refusal.
#include <catch2/catch.hpp>

#include "lines.hpp"

namespace {

constexpr const char* relation =
    R"({"type":"relation","table":"public.t","columns":[{"name":"id","type":"integer"},{"name":"txt","type":"text"},)"
    R"({"name":"ok","type":"boolean"},{"name":"s","type":"smallint"},{"name":"o","type":"oid"},)"
    R"({"name":"big","type":"bigint"}],"key":["id"],"identity":"default"})";
constexpr const char* two_keys =
    R"({"type":"relation","table":"public.two","columns":[{"name":"a","type":"integer"},{"name":"b","type":"text"},)"
    R"({"name":"c","type":"text"}],"key":["a","b"]})";
constexpr const char* no_key =
    R"({"type":"relation","table":"public.log","columns":[{"name":"a","type":"text"}],"key":[],"identity":"nothing"})";
constexpr const char* full =
    R"({"type":"relation","table":"public.full","columns":[{"name":"a","type":"text"}],"key":["a"],"identity":"full"})";
constexpr const char* begin = R"({"type":"begin","lsn":"0/10","xid":7,"time":"2026-11-23T04:05:06.123456Z"})";

// `line` has an @ where the refusal points to (at its start without one); it is not part of the line.
struct Case {
  std::string line;
  std::string words;
  bool open = true;  // inside a transaction
};

void check(const Case& test) {
  Lines lines;
  for (const char* shape : {relation, two_keys, no_key, full}) lines.read(shape);
  if (test.open) lines.read(begin);
  std::string line = test.line;
  const size_t at = line.find('@');
  if (at != line.npos) line.erase(at, 1);
  const size_t position = at == line.npos ? 1 : at + 1;
  CAPTURE(line.substr(0, 200));
  const std::string refusal = lines.refusal(line);
  CHECK(refusal == "test:" + std::to_string(lines.number) + ":" + std::to_string(position) + ": " + test.words);
}

std::string insert(const std::string& row) { return R"({"type":"insert","table":"public.t","new":{)" + row + "}}"; }

}  // namespace

TEST_CASE("malformed JSON is refused") {
  const std::string bad = "malformed JSON: ";
  for (const Case& test : std::vector<Case>{
           {"", "an empty line"},
           {"   @", bad + "the line ends where an object should be"},
           {"@\xef\xbb\xbf{}", bad + "an object expected"},
           {"@hello", bad + "an object expected"},
           {"@[]", "wrong type: an object expected"},
           {"@\"text\"", "wrong type: an object expected"},
           {"@null", "wrong type: an object expected"},
           {"{}", "no `type`"},
           {"{@", bad + "the line ends where a member's name should be"},
           {"{@,}", bad + "a member's name expected"},
           {"{@type:\"begin\"}", bad + "a member's name expected"},
           {"{@'type':'begin'}", bad + "a member's name expected"},
           {R"({"type" @"begin"})", bad + "`:` expected"},
           {R"({"type":@})", bad + "a string expected"},
           {R"({"type":"begin"@)", bad + "the line ends where `,` or `}` should be"},
           {R"({"type":"begin",@)", bad + "the line ends where a member's name should be"},
           {R"({"type":"begin",@})", bad + "a member's name expected"},
           {R"({"type":"begin"@;"lsn":"0/1"})", bad + "`,` or `}` expected"},
           {R"({"type":"begin"@]})", bad + "`,` or `}` expected"},
           {R"({"type":"beg@)", bad + "the line ends where the end of the string should be"},
           {R"({"type":"begin\@)", bad + "the line ends where the end of the string should be"},
           {R"({"type":"begin\u12@)", bad + "the line ends where the end of the string should be"},
           {insert(R"("id":1)") + " @x", bad + "text after the object"},
           {insert(R"("id":1)") + "@{}", bad + "text after the object"},
           {insert(R"("id":1)") + "@}", bad + "text after the object"},
           {insert(R"("id":1,@)"), bad + "a member's name expected"},
           {insert(R"("id":1 @"txt":"x")"), bad + "`,` or `}` expected"},
           {insert(R"("id"@)"), bad + "`:` expected"},
           {insert(R"("id":@)"), bad + "a whole number or null expected"},
           {insert(R"("txt":@,"id":1)"), bad + "a string or null expected"},
           {insert(R"("id":@+1)"), bad + "a whole number or null expected"},
           {insert(R"("id":@01)"), bad + "a number with a leading zero"},
           {insert(R"("id":@-01)"), bad + "a number with a leading zero"},
           {insert(R"("id":-@)"), bad + "a digit expected"},
           {insert(R"("id":-@x)"), bad + "a digit expected"},
           {insert(R"("id":1@x)"), bad + "`,` or `}` expected"},
           {insert(R"("id":@nul)"), bad + "null expected"},
           {insert(R"("id":null@l)"), bad + "`,` or `}` expected"},
           {insert(R"("ok":@tru)"), bad + "true expected"},
           {insert(R"("ok":@fals)"), bad + "false expected"},
           {insert(R"("ok":true@e)"), bad + "`,` or `}` expected"},
           {insert(R"("id":@NaN)"), bad + "a whole number or null expected"},
           {insert("\"txt\":\"a@\nb\""), bad + "a control character in a string"},
           {insert("\"txt\":\"a@\tb\""), bad + "a control character in a string"},
           {insert(std::string("\"txt\":\"0123456789abcdef@\0x\"", 27)), bad + "a control character in a string"},
           {insert("\"tx@\x1ft\":\"b\""), bad + "a control character in a string"},
           {insert(R"("txt":"a@\x41")"), bad + "an escape that JSON knows expected"},
           {insert(R"("txt":"a@\'b")"), bad + "an escape that JSON knows expected"},
           {insert(R"("txt":"a\u00@g0")"), bad + "a hex digit expected"},
           {insert(R"("txt":"a\u@ 041")"), bad + "a hex digit expected"},
           {insert(R"("txt":"a\u004@")"), bad + "a hex digit expected"},
           {insert(R"("txt":"a@\ud800")"), bad + "a surrogate without its other half"},
           {insert(R"("txt":"a@\udc00\ud800")"), bad + "a surrogate without its other half"},
           {insert(R"("txt":"a@\ud800\ud800")"), bad + "a surrogate without its other half"},
           {insert(R"("txt":"a@\ud83d\n")"), bad + "a surrogate without its other half"},
           {insert(R"("txt":"a@\ud83d\\u1")"), bad + "a surrogate without its other half"},
           {R"({"type":"truncate","tables":["public.t",@]})", bad + "a table name expected"},
           {R"({"type":"truncate","tables":["public.t"@}})", bad + "`,` or `]` expected"},
       })
    check(test);
}

TEST_CASE("what no PostgreSQL text can hold is refused") {
  for (const Case& test : std::vector<Case>{
           {insert(R"("txt":"a@\u0000")"), "a NUL, which no PostgreSQL text can hold"},
           {insert(R"("tx@\u0000t":"a")"), "a NUL, which no PostgreSQL text can hold"},
           {R"({"type":"truncate","tables":["public.t@\u0000"]})", "a NUL, which no PostgreSQL text can hold"},
           {insert("\"txt\":\"ok \xc3\xbc @\xff\""), "not UTF-8"},
           {insert("\"txt\":\"@\x80\""), "not UTF-8"},
           {insert("\"txt\":\"@\xc0\xaf\""), "not UTF-8"},          // '/' in two bytes
           {insert("\"txt\":\"@\xe0\x80\xaf\""), "not UTF-8"},      // and in three
           {insert("\"txt\":\"@\xf0\x80\x80\xaf\""), "not UTF-8"},  // and in four
           {insert("\"txt\":\"@\xed\xa0\x80\""), "not UTF-8"},      // a surrogate
           {insert("\"txt\":\"@\xf4\x90\x80\x80\""), "not UTF-8"},  // above U+10FFFF
           {insert("\"txt\":\"0123456789abcdef0123456789 @\xe2\x82\""), "not UTF-8"},
           {insert("\"txt\":\"\\n and @\xe2\x82\""), "not UTF-8"},
           {insert("\"txt@\xe9\":1"), "not UTF-8"},
           {"{\"type\":\"@\xfe\"}", "not UTF-8"},
       })
    check(test);
}

TEST_CASE("members are those that the type has, each once") {
  for (const Case& test : std::vector<Case>{
           {R"({"table":"public.t","new":{"id":1}})", "no `type`"},
           {R"({"type":@"upsert","table":"public.t"})", "unknown type `upsert`"},
           {R"({"type":@"Insert","table":"public.t"})", "unknown type `Insert`"},
           {R"({"type":@5})", "wrong type: a string expected"},
           {R"({"type":@null})", "wrong type: a string expected"},
           {R"({"type":@"a\n\u007f"})", "unknown type `a??`"},
           {R"({"type":"insert","new":{"id":1}})", "no `table`"},
           {R"({"type":"insert","table":"public.t"})", "no `new`"},
           {R"({"type":"insert","table":"public.t","key":{"id":1}})", "no `new`"},
           {R"({"type":"update","table":"public.t","new":{"id":1}})", "no `key`"},
           {R"({"type":"delete","table":"public.t"})", "no `key`"},
           {R"({"type":"truncate"})", "no `tables`"},
           {R"({"type":"begin","xid":1})", "no `lsn`", false},
           {R"({"type":"commit","lsn":"0/10"})", "no `end_lsn`"},
           {R"({"type":"keepalive"})", "no `lsn`", false},
           {R"({"type":"relation","table":"public.x","columns":[]})", "no `key`"},
           {R"({"type":"relation","columns":[],"key":[]})", "no `table`"},
           {R"({"type":"source","system_id":"1","timeline":1,"slot":"s","created":"0/1"})", "no `lsn`", false},
           {R"({"type":"insert","table":"public.t","new":{"id":1},@"old":{}})", "unknown member `old` in insert"},
           {R"({"type":"insert","table":"public.t","new":{"id":1},@"unchanged":[]})",
            "unknown member `unchanged` in insert"},
           {R"({"type":"delete","table":"public.t",@"new":{"id":1}})", "unknown member `new` in delete"},
           {R"({"type":"begin","lsn":"0/10",@"":1})", "unknown member `` in begin", false},
           {R"({"type":"begin",@"Lsn":"0/10"})", "unknown member `Lsn` in begin", false},
           {R"({"type":"begin","lsn":"0/10",@"changes":1})", "unknown member `changes` in begin", false},
           {R"({"type":"begin",@"type":"begin","lsn":"0/10"})", "member `type` twice", false},
           {R"({"type":"begin","lsn":"0/10",@"lsn":"0/10"})", "member `lsn` twice", false},
           {R"({"type":"begin","lsn":"0/10","xid":1,"time":"2026-11-23T04:05:06.123456Z",@"xid":1})",
            "member `xid` twice", false},
           {R"({"type":"insert","table":"public.t",@"table":"public.t","new":{"id":1}})", "member `table` twice"},
           {R"({"type":"insert","table":"public.t","new":{"id":1},@"new":{"id":1}})", "member `new` twice"},
           {R"({"type":"insert","table":"public.t","new":{"id":1},@"ne\u0077":{"id":1}})", "member `new` twice"},
           {R"({"new":{"id":1},@"new":{"id":1},"table":"public.t","type":"insert"})", "member `new` twice"},
           {R"({"new":{"id":1},"table":"public.t","type":"insert",@"type":"insert"})", "member `type` twice"},
           {R"({"new":{"id":1},"table":"public.t","type":"insert",@"table":"public.two"})", "member `table` twice"},
           {R"({"xid":1,@"xid":2,"type":"begin","lsn":"0/10"})", "member `xid` twice", false},
       })
    check(test);
}

TEST_CASE("values are of their member's type") {
  const auto source = [](const std::string& members) { return R"({"type":"source",)" + members + "}"; };
  for (const Case& test : std::vector<Case>{
           {R"({"type":"begin","lsn":@16})", "wrong type: an LSN string expected", false},
           {R"({"type":"begin","lsn":@"16"})", "not an LSN; 0/1A2B3C8 would be one", false},
           {R"({"type":"begin","lsn":@"0/"})", "not an LSN; 0/1A2B3C8 would be one", false},
           {R"({"type":"begin","lsn":@"0/123456789"})", "not an LSN; 0/1A2B3C8 would be one", false},
           {R"({"type":"begin","lsn":@"0/-1"})", "not an LSN; 0/1A2B3C8 would be one", false},
           {R"({"type":"begin","lsn":@"0x1/1"})", "not an LSN; 0/1A2B3C8 would be one", false},
           {R"({"type":"begin","lsn":"0/1","xid":@"7"})", "wrong type: a whole number expected", false},
           {R"({"type":"begin","lsn":"0/1","xid":@-1})", "a number out of range", false},
           {R"({"type":"begin","lsn":"0/1","xid":@4294967296})", "a number out of range", false},
           {R"({"type":"begin","lsn":"0/1","xid":@1.0})", "wrong type: a whole number expected", false},
           {R"({"type":"begin","lsn":"0/1","xid":@1e3})", "wrong type: a whole number expected", false},
           {R"({"type":"begin","lsn":"0/1","time":@1700000000})", "wrong type: a time string expected", false},
           {R"({"type":"begin","lsn":"0/1","time":@"2026-11-23"})",
            "not a time; 2026-11-23T04:05:06.123456Z would be one", false},
           {R"({"type":"begin","lsn":"0/1","time":@"2026-02-30T04:05:06.123456Z"})",
            "not a time; 2026-11-23T04:05:06.123456Z would be one", false},
           {R"({"type":"begin","lsn":"0/1","time":@"2026-11-23T24:05:06.123456Z"})",
            "not a time; 2026-11-23T04:05:06.123456Z would be one", false},
           {R"({"type":"commit","lsn":"0/10","end_lsn":"0/20","changes":@18446744073709551616})",
            "a number out of range"},
           {R"({"type":"commit","lsn":"0/10","end_lsn":"0/20","xxh3":@"0123456789ABCDEF"})",
            "not a checksum of 16 hex digits"},
           {R"({"type":"commit","lsn":"0/10","end_lsn":"0/20","xxh3":@"12"})", "not a checksum of 16 hex digits"},
           {R"({"type":"truncate","tables":@"public.t"})", "wrong type: an array expected"},
           {R"({"type":"truncate","tables":@[]})", "no tables"},
           {R"({"type":"truncate","tables":[@1]})", "wrong type: a table name expected"},
           {R"({"type":"truncate","tables":["public.t"],"cascade":@"yes"})", "wrong type: true or false expected"},
           {R"({"type":"truncate","tables":["public.t"],"cascade":@0})", "wrong type: true or false expected"},
           {R"({"type":"truncate","tables":["public.t"],"restart_identity":@null})",
            "wrong type: true or false expected"},
           {source(R"("system_id":@7314,"timeline":1)"), "wrong type: a string expected", false},
           {source(R"("system_id":@"73a4")"), "not a system identifier", false},
           {source(R"("system_id":@"")"), "not a system identifier", false},
           {source(R"("timeline":@4294967296)"), "a number out of range", false},
           {source(R"("slot":@"a; drop")"), "not a replication slot's name", false},
           {source(R"("slot":@"A")"), "not a replication slot's name", false},
           {R"({"type":"insert","table":"public.t","new":@[1]})", "wrong type: an object expected"},
           {R"({"type":"insert","table":"public.t","new":@null})", "wrong type: an object expected"},
           {R"({"type":"update","table":"public.t","key":@1,"new":{}})", "wrong type: an object expected"},
           {R"({"type":"update","table":"public.t","key":{"id":1},"new":{},"unchanged":@"txt"})",
            "wrong type: an array expected"},
           {insert(R"("id":@"1")"), "wrong type: a whole number or null expected"},
           {insert(R"("id":@true)"), "wrong type: a whole number or null expected"},
           {insert(R"("id":@1.5)"), "wrong type: a whole number or null expected"},
           {insert(R"("id":@1E2)"), "wrong type: a whole number or null expected"},
           {insert(R"("id":@2147483648)"), "a number out of range for integer"},
           {insert(R"("id":@-2147483649)"), "a number out of range for integer"},
           {insert(R"("id":@99999999999999999999999)"), "a number out of range for integer"},
           {insert(R"("s":@32768)"), "a number out of range for smallint"},
           {insert(R"("s":@-32769)"), "a number out of range for smallint"},
           {insert(R"("o":@-1)"), "a number out of range for oid"},
           {insert(R"("o":@4294967296)"), "a number out of range for oid"},
           {insert(R"("big":@9007199254740993)"), "wrong type: a string or null expected"},
           {insert(R"("txt":@{"a":1})"), "wrong type: a string or null expected"},
           {insert(R"("txt":@["a"])"), "wrong type: a string or null expected"},
           {insert(R"("txt":@false)"), "wrong type: a string or null expected"},
           {insert(R"("ok":@"t")"), "wrong type: true, false or null expected"},
           {insert(R"("ok":@1)"), "wrong type: true, false or null expected"},
       })
    check(test);
}

TEST_CASE("rows fit the shape of their table") {
  const auto update = [](const std::string& rest) { return R"({"type":"update","table":"public.two",)" + rest + "}"; };
  for (const Case& test : std::vector<Case>{
           {R"({"type":"insert","table":@"public.unknown","new":{}})",
            "no relation line for `public.unknown` before its first change"},
           {R"({"type":"insert","table":@"x\"; DROP TABLE t; --","new":{}})",
            "`x\"; DROP TABLE t; --` is not a table name: the character '\"' needs the name in double quotes"},
           {R"({"type":"insert","table":@"\"a\"\";b\"","new":{}})",
            "no relation line for `\"a\"\";b\"` before its first change"},
           {R"({"type":"insert","table":@"","new":{}})", "`` is not a table name: a part of the name is empty"},
           {R"({"type":"insert","table":@"a.b.c","new":{}})",
            "`a.b.c` is not a table name: more than a schema and a name"},
           {insert(R"("id":1,@"nope":2)"), "no column `nope` in public.t"},
           {insert(R"(@"ID":1)"), "no column `ID` in public.t"},
           {insert(R"("id":1,"txt":"x",@"id":1)"), "column `id` twice"},
           {insert(R"("id":1,@"id":null)"), "column `id` twice"},
           {insert(R"("id":null,@"id":1)"), "column `id` twice"},
           {insert(R"("txt":"a",@"t\u0078t":"a")"), "column `txt` twice"},
           {update(R"("key":@{},"new":{})"), "the key lacks column `a` of public.two"},
           {update(R"("key":@{"a":1},"new":{})"), "the key lacks column `b` of public.two"},
           {update(R"("key":{"a":1,"b":"x",@"c":"y"},"new":{})"), "column `c` is not in the key of public.two"},
           {update(R"("key":{"a":1,@"a":1},"new":{})"), "column `a` twice"},
           {update(R"("key":{"b":"x",@"d":1},"new":{})"), "no column `d` in public.two"},
           {update(R"("key":{"a":@null,"b":"x"},"new":{})"), "column `a` is in the key, so it is never null"},
           {update(R"("key":{"a":1,"b":"x"},"new":{"c":"y"},"unchanged":[@"c"])"), "column `c` both new and unchanged"},
           {update(R"("key":{"a":1,"b":"x"},"unchanged":["b",@"c"],"new":{"c":"y"})"),
            "column `c` both new and unchanged"},
           {update(R"("key":{"a":1,"b":"x"},"new":{},"unchanged":["c",@"c"])"), "column `c` twice"},
           {update(R"("key":{"a":1,"b":"x"},"new":{},"unchanged":[@"z"])"), "no column `z` in public.two"},
           {R"({"type":"update","table":"public.log","key":{},"new":{}})",
            "public.log has no key, so it can have no update"},
           {R"({"type":"delete","table":"public.log","key":{}})", "public.log has no key, so it can have no delete"},
           {R"({"type":"delete","table":"public.full","key":@{}})", "the key lacks column `a` of public.full"},
       })
    check(test);
}

TEST_CASE("shapes are whole") {
  const auto shape = [](const std::string& columns, const std::string& rest) {
    return R"({"type":"relation","table":"public.x","columns":[)" + columns + "]," + rest + "}";
  };
  const std::string a = R"({"name":"a","type":"text"})";
  for (const Case& test : std::vector<Case>{
           {shape(a + ",@" + a, R"("key":[])"), "column `a` twice"},
           {shape(R"(@{"name":"a"})", R"("key":[])"), "a column needs a name and a type"},
           {shape(R"(@{})", R"("key":[])"), "a column needs a name and a type"},
           {shape(R"(@"a")", R"("key":[])"), "wrong type: an object expected"},
           {shape(R"({"name":"a",@"name":"b","type":"text"})", R"("key":[])"), "member `name` twice"},
           {shape(R"({"name":"a","type":"text",@"null":true})", R"("key":[])"), "unknown member `null` of a column"},
           {shape(R"({"name":@"","type":"text"})", R"("key":[])"), "not a column's name"},
           {shape(R"({"name":@")" + std::string(64, 'n') + R"(","type":"text"})", R"("key":[])"),
            "not a column's name"},
           {shape(R"({"name":"a","type":@""})", R"("key":[])"), "not a type's name"},
           {shape(R"({"name":@1,"type":"text"})", R"("key":[])"), "wrong type: a string expected"},
           {shape(a, R"("key":[@"b"])"), "no column `b` in public.x"},
           {shape(a, R"("key":["a",@"a"])"), "column `a` twice in the key"},
           {shape(a, R"("key":@"a")"), "wrong type: an array expected"},
           {shape(a, R"("key":["a"],"identity":@"pkey")"), "identity is one of default, index, full, nothing"},
           {shape(a, R"("key":[],"identity":"full")"), "the identity is full, so every column belongs to the key"},
           {shape(a, R"("key":["a"],"identity":"nothing")"), "the identity is nothing, so there is no key"},
           {R"({"type":"relation","table":@"a b","columns":[],"key":[]})",
            "`a b` is not a table name: the character ' ' needs the name in double quotes"},
       })
    check(test);

  std::string many;
  for (int i = 0; i < 1600; ++i) many += R"({"name":"c)" + std::to_string(i) + R"(","type":"text"},)";
  check({shape(many + "@" + a, R"("key":[])"), "more columns than a table may have"});
}

TEST_CASE("a refused relation line changes no shape") {
  Lines lines;
  lines.read(relation);
  CHECK(lines.refusal(R"({"type":"relation","table":"public.t","columns":[],"key":[]} x)") ==
        "test:2:62: malformed JSON: text after the object");
  REQUIRE(lines.reader.relation("public.t") != nullptr);
  CHECK(lines.reader.relation("public.t")->columns.size() == 6);
}

TEST_CASE("lines follow each other as transactions do") {
  const std::string commit = R"({"type":"commit","lsn":"0/10","end_lsn":"0/20"})";
  for (const Case& test : std::vector<Case>{
           {insert(R"("id":1)"), "a change outside a transaction", false},
           {R"({"type":"delete","table":"public.t","key":{"id":1}})", "a change outside a transaction", false},
           {R"({"type":"truncate","tables":["public.t"]})", "a change outside a transaction", false},
           {R"({"type":"copy","tables":["public.t"]})", "a change outside a transaction", false},
           {commit, "a commit without its begin", false},
           {R"({"type":"begin","lsn":"0/30"})", "a begin inside the transaction 0/10"},
           {R"({"type":"commit","lsn":"0/11","end_lsn":"0/20"})", "a commit of 0/11 in 0/10"},
           {R"({"type":"commit","lsn":"0/10","end_lsn":"0/10"})", "end_lsn is not after lsn"},
           {R"({"type":"commit","lsn":"0/10","end_lsn":"0/F"})", "end_lsn is not after lsn"},
           {R"({"type":"keepalive","lsn":"0/40"})", "a keepalive inside a transaction"},
       })
    check(test);

  Lines lines;
  lines.read(relation);
  lines.read(begin);
  lines.read(commit);
  CHECK(lines.refusal(commit) == "test:4:1: a commit without its begin");
}

TEST_CASE("nesting is refused where it begins, however deep") {
  constexpr size_t depth = 100000;
  for (const std::string bracket : {"[", "{\"a\":"}) {
    std::string deep;
    for (size_t i = 0; i < depth; ++i) deep += bracket;
    check({insert("\"txt\":@" + deep), "wrong type: a string or null expected"});
    check({R"({"type":"insert","table":"public.t","new":{"id":1},"key":)" + (bracket == "[" ? "@" + deep : "{@" + deep),
           bracket == "[" ? "wrong type: an object expected" : "malformed JSON: a member's name expected"});
    // Before the type is known the reader has to step over it.
    check({R"({"key":)" + deep + "@", "malformed JSON: the line ends where a value should be"});
    const std::string ends = bracket == "[" ? std::string(depth, ']') : "1" + std::string(depth, '}');
    check({R"({@"key":)" + deep + ends + R"(,"type":"commit","lsn":"0/10","end_lsn":"0/20"})",
           "unknown member `key` in commit"});
  }
}

TEST_CASE("names in refusals are short and harmless") {
  const std::string name(200, 'n');
  check({R"({"type":@")" + name + R"("})", "unknown type `" + name.substr(0, 80) + "...`"});
  std::string accents;
  for (int i = 0; i < 60; ++i) accents += "x\xc3\xa9";  // the cut would fall inside a character
  check({insert("@\"" + accents + "\":1"), "no column `" + accents.substr(0, 79) + "...` in public.t"});
}
