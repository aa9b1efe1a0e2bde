// The scrub's plan: how a table is divided, whose turn it is, and which keys a change touches.
#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "compare/scrub_plan.hpp"
#include "compare/touched_keys.hpp"

using change::Event;
using change::EventType;
using change::Relation;
using change::Value;
using compare::ScrubLimits;
using compare::Turn;
using compare::Turns;
using state::PieceProof;

TEST_CASE("a table has a piece for a hundredth of its rows, none too small, and one that fits a small budget") {
  CHECK(compare::pieces_for(0, 0.02) == 1);
  CHECK(compare::pieces_for(1999, 0.02) == 1);
  CHECK(compare::pieces_for(12000, 0.02) == 12);
  CHECK(compare::pieces_for(1500000, 0.02) == 100);
  CHECK(compare::pieces_for(1500000, 0) == 100);
  CHECK(compare::pieces_for(1500000, 0.005) == 200);
  CHECK(compare::pieces_for(1500000000, 1e-9) == compare::most_pieces);
}

TEST_CASE("borders lie between the bounds, ascending, and hold as many rows each as the bounds say") {
  CHECK(compare::borders(std::vector<int64_t>{1, 1001}, 4) == std::vector<int64_t>{251, 501, 751});
  CHECK(compare::borders(std::vector<int64_t>{1, 11, 1000011}, 2) == std::vector<int64_t>{11});
  CHECK(compare::borders(std::vector<int64_t>{1, 11, 1000011}, 4) == std::vector<int64_t>{6, 11, 500011});
  CHECK(compare::borders(std::vector<int64_t>{1, 2}, 1).empty());
  CHECK(compare::borders(std::vector<int64_t>{1, 3}, 10) == std::vector<int64_t>{2});
  CHECK(compare::borders(std::vector<int64_t>{5, 5}, 10).empty());
  const std::vector<int64_t> wide = compare::borders(std::vector<int64_t>{INT64_MIN, INT64_MAX}, 100);
  CHECK(wide.size() == 99);
  CHECK(std::ranges::adjacent_find(wide, std::greater_equal<>()) == wide.end());
}

TEST_CASE("the parts of a piece begin where it began, were proven when it was, and hold its rows") {
  std::vector<PieceProof> pieces{{std::nullopt, "0/1", "t1", 10}, {100, "0/2", "t2", 31}, {200, "0/3", "t3", 5}};
  compare::split(pieces, 1, {120, 140});
  REQUIRE(pieces.size() == 5);
  CHECK(pieces[1].from == 100);
  CHECK(pieces[2].from == 120);
  CHECK(pieces[3].from == 140);
  CHECK(pieces[4].from == 200);
  CHECK(pieces[1].rows + pieces[2].rows + pieces[3].rows == 31);
  for (size_t i = 1; i < 4; ++i) CHECK(pieces[i].time == "t2");
  CHECK_FALSE(pieces[0].from);
}

TEST_CASE("a piece that has grown large beside the others is split") {
  std::vector<PieceProof> pieces(100, {std::nullopt, "", "", 10000});
  CHECK(compare::parts_of(pieces, 99) == 1);
  pieces[99].rows = 50000;
  CHECK(compare::parts_of(pieces, 99) == 4);
  pieces[99].rows = 100000000;
  CHECK(compare::parts_of(pieces, 99) == 16);
  CHECK(compare::parts_of({{std::nullopt, "", "", 1500}}, 0) == 1);
  CHECK(compare::parts_of(std::vector<PieceProof>(1000, {std::nullopt, "", "", 1000000}), 7) == 1);
}

namespace {

constexpr int64_t second = 1'000'000;

struct Scrubbed {
  std::vector<Turn> turns;
  size_t taken = 0;
  uint64_t rows = 0;
  // Of `pass`, at `now` seconds; each piece takes `took` seconds.
  void pass(const ScrubLimits& limits, int64_t now, double took = 0) {
    taken = 0;
    rows = 0;
    Turns order(limits, now * second, turns);
    while (const auto turn = order.next(took * static_cast<double>(taken))) {
      ++taken;
      rows += turn->rows;
      for (Turn& own : turns)
        if (own.table == turn->table && own.piece == turn->piece) own.proven_us = now * second;
    }
  }
  double oldest(int64_t now) const {
    int64_t proven = INT64_MAX;
    for (const Turn& turn : turns) proven = std::min(proven, turn.proven_us);
    return static_cast<double>(now) - static_cast<double>(proven) / second;
  }
};

Scrubbed table(size_t pieces, uint64_t rows) {
  Scrubbed out;
  for (size_t i = 0; i < pieces; ++i) out.turns.push_back({0, i, 0, rows, false});
  return out;
}

}  // namespace

TEST_CASE("a pass proves as much as its share, the oldest first, and at least one piece") {
  Scrubbed it = table(100, 1000);
  it.pass({0.03, 0, 1e6, 300}, 300);
  CHECK(it.taken == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(it.turns[i].proven_us == 300 * second);
  it.pass({0.03, 0, 1e6, 300}, 600);
  CHECK(it.taken == 3);
  CHECK(it.turns[5].proven_us == 600 * second);
  it.pass({0.001, 0, 1e6, 300}, 900);
  CHECK(it.taken == 1);
}

TEST_CASE("a pass goes on for the seconds that it has") {
  Scrubbed it = table(100, 1000);
  it.pass({0, 2, 1e6, 300}, 300, 0.25);
  CHECK(it.taken == 8);
  it.pass({0, 0.1, 1e6, 300}, 600, 0.25);
  CHECK(it.taken == 1);
}

TEST_CASE("whatever the budget is, no row is proven longer ago than max_age, and no pass has to do it all") {
  for (const auto& [share, seconds] : {std::pair(0.0, 0.001), std::pair(0.0001, 0.0), std::pair(0.02, 0.0)}) {
    CAPTURE(share, seconds);
    Scrubbed it = table(100, 1000);
    uint64_t most = 0;
    for (int64_t now = 300; now <= 4 * 86400; now += 300) {
      it.pass({share, seconds, 86400, 300}, now, 0.01);
      most = std::max(most, it.rows);
      REQUIRE(it.oldest(now) + 300 <= 86400 + 300);
    }
    CHECK(most <= 3000);
  }
}

TEST_CASE("a table that has no pieces is read when it has to be, and pieces of all sizes come round") {
  Scrubbed it;
  it.turns = {{0, 0, 0, 1000000, true}, {1, 0, 0, 500, false}};
  it.pass({0.02, 0, 1000, 300}, 300);
  CHECK(it.taken == 1);
  CHECK(it.turns[0].proven_us == 0);
  it.pass({0.02, 0, 1000, 300}, 600);
  CHECK(it.taken == 1);
  it.pass({0.02, 0, 1000, 300}, 700);
  CHECK(it.taken == 2);
  // after a long pause all is due
  it = table(50, 0);
  it.pass({0.01, 0, 1000, 2000}, 2000);
  CHECK(it.taken == 50);
}

namespace {

Relation shape(std::vector<std::string> columns, std::vector<uint16_t> key) {
  Relation out;
  for (std::string& name : columns) out.columns.push_back({std::move(name), "text"});
  out.key = std::move(key);
  return out;
}

std::vector<Value> values(std::initializer_list<const char*> texts) {
  std::vector<Value> out;
  for (const char* text : texts) out.push_back(text == nullptr ? Value() : Value::of(text));
  return out;
}

struct Line {
  Event event;
  std::vector<Value> key;
  std::vector<Value> row;
  Line(const Relation& relation, EventType type, std::vector<Value> k, std::vector<Value> r)
      : key(std::move(k)), row(std::move(r)) {
    event.relation = &relation;
    event.type = type;
    event.key = key;
    event.row = row;
  }
};

std::set<std::string> texts(const compare::TouchedKeys& keys) {
  std::set<std::string> out;
  for (const auto& key : keys.keys()) {
    std::string text;
    for (const Value& value : key) text += std::string(value.text()) + "/";
    out.insert(text);
  }
  return out;
}

}  // namespace

TEST_CASE("a change touches the row as it was and as it is, each once") {
  const Relation relation = shape({"a", "b", "v"}, {0, 1});
  compare::TouchedKeys keys(relation);
  CHECK(keys.add(Line(relation, EventType::insert, {}, values({"1", "x", "v"})).event));
  CHECK(keys.add(Line(relation, EventType::insert, values({"1", "x"}), values({"1", "x", "v"})).event));
  CHECK(keys.add(Line(relation, EventType::update, values({"1", "x"}), values({"1", "y", nullptr})).event));
  CHECK(keys.add(Line(relation, EventType::update, values({"2", "x"}), values({nullptr, nullptr, "v"})).event));
  CHECK(keys.add(Line(relation, EventType::remove, values({"3", "z"}), {}).event));
  CHECK(texts(keys) == std::set<std::string>{"1/x/", "1/y/", "2/x/", "3/z/"});
  CHECK(keys.keys().size() == 4);
  keys.clear();
  CHECK(keys.keys().empty());
  CHECK(keys.add(Line(relation, EventType::remove, values({"3", "z"}), {}).event));
  CHECK(keys.keys().size() == 1);
}

TEST_CASE("the stream's key may be another than the comparison's, and a line that does not tell the row says so") {
  const Relation ours = shape({"id", "v"}, {0});
  const Relation full = shape({"v", "id"}, {0, 1});
  compare::TouchedKeys keys(ours);
  CHECK(keys.add(Line(full, EventType::update, values({"old", "7"}), values({"new", "8"})).event));
  CHECK(texts(keys) == std::set<std::string>{"7/", "8/"});
  const Relation by_v = shape({"id", "v"}, {1});
  CHECK_FALSE(keys.add(Line(by_v, EventType::remove, values({"v"}), {}).event));
  CHECK_FALSE(keys.add(Line(by_v, EventType::update, values({"v"}), values({"7", "v"})).event));
  CHECK(keys.add(Line(by_v, EventType::insert, values({"v"}), values({"9", "v"})).event));
  const Relation other = shape({"v"}, {0});
  CHECK_FALSE(keys.add(Line(other, EventType::insert, {}, values({"v"})).event));
}
