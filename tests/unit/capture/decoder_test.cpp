// pgoutput messages, byte by byte as the manual describes them, and the lines that they become.
#include <catch2/catch.hpp>

#include <cstdint>
#include <random>
#include <string>

#include "base/error.hpp"
#include "capture/decoder.hpp"

namespace {

// Builds a message as a server would.
class Message {
 public:
  explicit Message(char type) : bytes_(1, type) {}
  Message& number(uint64_t value, int size) {
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift);
    return *this;
  }
  Message& byte(char c) { return bytes_ += c, *this; }
  Message& text(const std::string& text) { return bytes_ += text, bytes_ += '\0', *this; }
  Message& value(const std::string& text) {
    byte('t').number(text.size(), 4);
    return bytes_ += text, *this;
  }
  Message& null() { return byte('n'); }
  Message& unchanged() { return byte('u'); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

constexpr uint32_t images = 16400;

std::string type_name(uint32_t oid) {
  switch (oid) {
    case 16:
      return "boolean";
    case 23:
      return "integer";
    case 25:
      return "text";
    default:
      return "";
  }
}

std::string begin(uint64_t lsn) {
  return Message('B').number(lsn, 8).number(817189506123456, 8).number(7421, 4).bytes();
}
std::string commit(uint64_t lsn, uint64_t end) {
  return Message('C').byte(0).number(lsn, 8).number(end, 8).number(0, 8).bytes();
}
// id is the key (all are under FULL), then title text, ready boolean
std::string relation(char identity) {
  Message m('R');
  m.number(images, 4).text("public").text("images").byte(identity).number(3, 2);
  m.byte(1).text("id").number(23, 4).number(0, 4);
  m.byte(identity == 'f' ? 1 : 0).text("title").number(25, 4).number(0, 4);
  m.byte(identity == 'f' ? 1 : 0).text("ready").number(16, 4).number(0, 4);
  return m.bytes();
}

struct Decoded {
  capture::Decoder decoder{{type_name, [](uint32_t, change::Relation&) {}}};
  std::string out;
  std::string line(const std::string& message) {
    out.clear();
    decoder.decode(message, out);
    return out;
  }
};

}  // namespace

TEST_CASE("a transaction is begin, shape, changes, commit") {
  Decoded d;
  CHECK(d.line(begin(0x1A2B3C8)) ==
        R"({"type":"begin","lsn":"0/1A2B3C8","xid":7421,"time":"2025-11-23T05:05:06.123456Z"})"
        "\n");
  CHECK(d.line(relation('d')).empty());
  CHECK(
      d.line(Message('I').number(images, 4).byte('N').number(3, 2).value("42").value("a \"b\"\n").value("t").bytes()) ==
      R"({"type":"relation","table":"public.images","columns":[{"name":"id","type":"integer"},{"name":"title","type":"text"},)"
      R"({"name":"ready","type":"boolean"}],"key":["id"],"identity":"default"})"
      "\n"
      R"({"type":"insert","table":"public.images","key":{"id":42},"new":{"id":42,"title":"a \"b\"\n","ready":true}})"
      "\n");
  CHECK(
      d.line(Message('U').number(images, 4).byte('N').number(3, 2).value("42").unchanged().null().bytes()) ==
      R"({"type":"update","table":"public.images","key":{"id":42},"new":{"id":42,"ready":null},"unchanged":["title"]})"
      "\n");
  CHECK(d.line(Message('D').number(images, 4).byte('K').number(3, 2).value("42").null().null().bytes()) ==
        R"({"type":"delete","table":"public.images","key":{"id":42}})"
        "\n");
  CHECK(d.line(Message('T').number(1, 4).byte(2).number(images, 4).bytes()) ==
        R"({"type":"truncate","tables":["public.images"],"restart_identity":true,"cascade":false})"
        "\n");
  CHECK(d.line(commit(0x1A2B3C8, 0x1A2B3F8)) ==
        R"({"type":"commit","lsn":"0/1A2B3C8","end_lsn":"0/1A2B3F8","changes":4})"
        "\n");
  CHECK(d.decoder.end_lsn().text() == "0/1A2B3F8");
}

TEST_CASE("a changed key stays an update by the old key, its unchanged values named") {
  Decoded d;
  d.line(relation('d'));
  d.line(Message('I').number(images, 4).byte('N').number(3, 2).value("1").null().null().bytes());
  CHECK(d.line(Message('U')
                   .number(images, 4)
                   .byte('K')
                   .number(3, 2)
                   .value("1")
                   .null()
                   .null()
                   .byte('N')
                   .number(3, 2)
                   .value("2")
                   .unchanged()
                   .value("f")
                   .bytes()) ==
        R"({"type":"update","table":"public.images","key":{"id":1},"new":{"id":2,"ready":false},"unchanged":["title"]})"
        "\n");
}

TEST_CASE("under FULL an unchanged value is taken from the old row") {
  Decoded d;
  d.line(relation('f'));
  const std::string line = d.line(Message('U')
                                      .number(images, 4)
                                      .byte('O')
                                      .number(3, 2)
                                      .value("1")
                                      .value("long")
                                      .null()
                                      .byte('N')
                                      .number(3, 2)
                                      .value("1")
                                      .unchanged()
                                      .value("t")
                                      .bytes());
  CHECK(line.find(R"("key":{"id":1,"title":"long","ready":null},"new":{"id":1,"title":"long","ready":true}})") !=
        std::string::npos);
  CHECK(line.find("unchanged") == std::string::npos);
  CHECK(line.find(R"("identity":"full")") != std::string::npos);
}

TEST_CASE("a row that enters a filter without one of its values is refused, with what to do") {
  Decoded d;
  d.line(relation('d'));
  try {
    d.line(Message('I').number(images, 4).byte('N').number(3, 2).value("1").unchanged().null().bytes());
    FAIL("it passed");
  } catch (const base::Error& failure) {
    CHECK(failure.kind() == base::Exit::data);
    CHECK_THAT(failure.what(), Catch::Matchers::Contains("without its title; ALTER TABLE \"public\".\"images\""));
  }
}

TEST_CASE("a shape is told again only when it changed") {
  Decoded d;
  const std::string insert = Message('I').number(images, 4).byte('N').number(3, 2).value("1").null().null().bytes();
  d.line(relation('d'));
  CHECK(d.line(insert).find("relation") != std::string::npos);
  d.line(relation('d'));
  CHECK(d.line(insert).find("relation") == std::string::npos);
  d.line(relation('i'));
  CHECK(d.line(insert).find(R"("identity":"index")") != std::string::npos);
}

TEST_CASE("a type dropped meanwhile keeps the name it was announced with") {
  Decoded d;
  d.line(Message('Y').number(99999, 4).text("shop").text("mood").bytes());
  d.line(Message('R')
             .number(7, 4)
             .text("public")
             .text("t")
             .byte('n')
             .number(1, 2)
             .byte(0)
             .text("m")
             .number(99999, 4)
             .number(0, 4)
             .bytes());
  CHECK(d.line(Message('I').number(7, 4).byte('N').number(1, 2).value("glad").bytes()).find(R"("type":"shop.mood")") !=
        std::string::npos);
}

TEST_CASE("a begin tells its commit LSN without being decoded") {
  CHECK(capture::Decoder::begins(begin(77)).value == 77);
  CHECK(capture::Decoder::begins(commit(77, 78)).value == 0);
  CHECK(capture::Decoder::begins("").value == 0);
}

TEST_CASE("no damaged message reads past its end or passes for a change") {
  const std::string whole[] = {
      begin(5), relation('d'),
      Message('I').number(images, 4).byte('N').number(3, 2).value("42").value("x").value("t").bytes(),
      Message('T').number(1, 4).byte(0).number(images, 4).bytes(), commit(5, 6)};
  for (const std::string& message : whole)
    for (size_t size = 0; size < message.size(); ++size) {
      Decoded d;
      d.line(relation('d'));
      CHECK_THROWS_AS(d.line(message.substr(0, size)), base::Error);
    }
  const auto seed = Catch::rngSeed();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (int round = 0; round < 20000; ++round) {
    Decoded d;
    d.line(relation('d'));
    std::string message = whole[random() % 5];
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      message[random() % message.size()] = static_cast<char>(random());
    try {
      d.line(message);
    } catch (const base::Error&) {
    }
  }
}
