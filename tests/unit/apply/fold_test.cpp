// The fold against the plain truth: whatever it makes of a run of changes, written as deletes, updates, inserts, must
// leave the table as the changes in their order do.
#include <catch2/catch.hpp>

#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "apply/fold.hpp"

namespace {

using apply::Fold;
using apply::Piece;
using change::EventType;
using change::Identity;
using change::Relation;
using change::Value;
using change::ValueKind;

using Row = std::vector<std::string>;      // id, a, b
using Table = std::map<std::string, Row>;  // by id

Relation images() {
  Relation r;
  r.table = {"public", "images"};
  r.text = "public.images";
  for (const char* name : {"id", "a", "b"}) r.columns.push_back({name, "text", change::JsonKind::string});
  r.key = {0};
  return r;
}

// A run of changes under construction; the table that it makes is kept beside it.
struct Run {
  Relation relation = images();
  Piece piece;
  Table table;
  uint64_t ordinal = 0;

  std::span<Value> values(const std::vector<std::optional<std::string>>& texts) {
    Value* v = piece.arena.array<Value>(texts.size());
    for (size_t i = 0; i < texts.size(); ++i)
      if (texts[i]) v[i] = Value::of({piece.arena.copy(*texts[i]), texts[i]->size()});
    return {v, texts.size()};
  }
  void add(EventType type, std::span<Value> key, std::span<Value> row) {
    piece.operations.push_back({type, &relation, key, row, change::Lsn{1}, ++ordinal});
  }
  void insert(const Row& row) {
    add(EventType::insert, values({row[0]}), values({row[0], row[1], row[2]}));
    table[row[0]] = row;
  }
  // nullopt: unchanged
  void update(const std::string& id, const std::string& new_id, std::optional<std::string> a,
              std::optional<std::string> b) {
    add(EventType::update, values({id}), values({new_id, a, b}));
    Row row = table.at(id);
    table.erase(id);
    row[0] = new_id;
    if (a) row[1] = *a;
    if (b) row[2] = *b;
    table[new_id] = row;
  }
  void remove(const std::string& id) {
    add(EventType::remove, values({id}), {});
    table.erase(id);
  }
};

// What a server would make of the fold; every statement must meet what it expects.
Table written(const Fold& fold, Table table) {
  for (const apply::TableEffect& effect : fold.tables) {
    uint64_t gone = 0;
    uint64_t expected = 0;
    for (const auto& row : effect.deletes) {
      gone += table.erase(std::string(row.key[0].text()));
      expected += row.expected;
    }
    CHECK(gone == expected);
    for (const apply::UpdateGroup& group : effect.updates)
      for (const auto& row : group.rows) {
        const auto found = table.find(std::string(row[0].text()));
        REQUIRE(found != table.end());
        for (size_t i = 0; i < row.size(); ++i) {
          REQUIRE((group.set[i] || i == 0 || row[i].kind == ValueKind::absent));
          if (group.set[i]) found->second[i] = row[i].text();
        }
      }
    for (const auto& row : effect.inserts) {
      const auto [at, is_new] = table.try_emplace(std::string(row[0].text()));
      REQUIRE(is_new);
      for (const Value& value : row) {
        REQUIRE(value.kind == ValueKind::text);
        at->second.push_back(std::string(value.text()));
      }
    }
  }
  return table;
}

}  // namespace

TEST_CASE("a hundred updates of one row are one update") {
  Run run;
  run.table["1"] = {"1", "x", "y"};
  const Table before = run.table;
  for (int i = 0; i < 100; ++i) run.update("1", "1", std::to_string(i), std::nullopt);
  const Fold fold = apply::fold(run.piece);
  REQUIRE(fold.tables.size() == 1);
  REQUIRE(fold.tables[0].updates.size() == 1);
  CHECK(fold.tables[0].updates[0].rows.size() == 1);
  CHECK_FALSE(fold.tables[0].updates[0].whole);
  CHECK(written(fold, before) == run.table);
}

TEST_CASE("an insert keeps its value through an update that does not send it") {
  Run run;
  run.insert({"1", "x", "toasted"});
  run.update("1", "1", "new", std::nullopt);
  const Fold fold = apply::fold(run.piece);
  CHECK(fold.tables[0].updates.empty());
  CHECK(written(fold, {}) == Table{{"1", {"1", "new", "toasted"}}});
}

TEST_CASE("a changed key with a value that was not sent cannot be folded, unless the value is known") {
  Run blind;
  blind.table["1"] = {"1", "x", "y"};
  blind.update("1", "2", "new", std::nullopt);
  const Fold apart = apply::fold(blind.piece);
  CHECK(apart.tables.empty());
  CHECK(apart.in_order.size() == 1);
  Run known;
  known.insert({"1", "x", "toasted"});
  known.update("1", "2", "new", std::nullopt);
  const Fold fold = apply::fold(known.piece);
  REQUIRE(fold.in_order.empty());
  CHECK(fold.tables[0].moved_keys);
  CHECK(written(fold, {}) == known.table);
}

TEST_CASE("keys that spell alike are not one key") {
  Run run;
  run.relation.key = {0, 1};
  const auto key = [&](const char* id, const char* a) { return run.values({std::string(id), std::string(a)}); };
  run.add(EventType::insert, key("ab", "c"), run.values({"ab", "c", "1"}));
  run.add(EventType::insert, key("a", "bc"), run.values({"a", "bc", "2"}));
  CHECK(apply::fold(run.piece).tables[0].inserts.size() == 2);
}

TEST_CASE("rows without an identity are all kept") {
  Run run;
  run.relation.key = {};
  run.relation.identity = Identity::nothing;
  for (int i = 0; i < 3; ++i) run.add(EventType::insert, {}, run.values({"1", "same", "row"}));
  CHECK(apply::fold(run.piece).tables[0].inserts.size() == 3);
}

TEST_CASE("under FULL inserts alone are folded, anything else goes in order") {
  Run run;
  run.relation.key = {0, 1, 2};
  run.relation.identity = Identity::full;
  const auto row = [&] { return run.values({"1", "same", "row"}); };
  run.add(EventType::insert, row(), row());
  run.add(EventType::insert, row(), row());
  CHECK(apply::fold(run.piece).tables[0].inserts.size() == 2);
  run.add(EventType::remove, row(), {});
  const Fold fold = apply::fold(run.piece);
  CHECK(fold.tables.empty());
  CHECK(fold.in_order.size() == 3);
}

TEST_CASE("random histories: the fold leaves what the changes leave") {
  const auto seed = Catch::rngSeed();
  std::mt19937 random(seed);
  INFO("seed " << seed);
  int folded = 0;
  for (int round = 0; round < 3000; ++round) {
    Run run;
    const auto some_id = [&] { return std::to_string(random() % 8); };
    const auto some_value = [&] { return std::to_string(random() % 1000); };
    for (auto i = random() % 6; i > 0; --i) {
      const std::string id = some_id();
      run.table[id] = {id, some_value(), some_value()};
    }
    const Table before = run.table;
    for (auto i = 1 + random() % 20; i > 0; --i) {
      const std::string id = some_id();
      const bool there = run.table.contains(id);
      const std::optional<std::string> b = random() % 4 == 0 ? std::nullopt : std::optional(some_value());
      if (!there) {
        run.insert({id, some_value(), some_value()});
      } else if (random() % 3 == 0) {
        run.remove(id);
      } else {
        const std::string to = random() % 4 == 0 ? some_id() : id;
        if (to != id && run.table.contains(to)) continue;
        run.update(id, to, some_value(), b);
      }
    }
    const Fold fold = apply::fold(run.piece);
    if (fold.tables.empty()) continue;
    ++folded;
    REQUIRE(written(fold, before) == run.table);
  }
  CHECK(folded > 1500);  // else the histories say nothing
}
