#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "apply/prepared.hpp"

namespace {

using apply::Piece;
using apply::Prepared;
using change::EventType;
using change::Relation;
using change::Value;
using change::ValueKind;

Relation relation(const std::string& name, bool keyed = true) {
  Relation r;
  r.table = {"public", name};
  r.text = "public." + name;
  r.columns = {{"id", "text", change::JsonKind::string}};
  if (keyed) r.key = {0};
  return r;
}

const Relation images = relation("images");
const Relation other = relation("other");
const Relation log_lines = relation("log_lines", false);

struct Change {
  EventType type;
  const Relation* relation;
  std::string id;
};

std::unique_ptr<Prepared> batch(const std::vector<Change>& changes) {
  auto piece = std::make_unique<Piece>();
  piece->ends_batch = true;
  for (const Change& change : changes) {
    Value* value = piece->arena.array<Value>(1);
    value->kind = ValueKind::text;
    value->data = piece->arena.copy(change.id);
    value->size = static_cast<uint32_t>(change.id.size());
    const std::span<Value> row(value, 1);
    piece->operations.push_back({change.type,
                                 change.relation,
                                 change.relation->key.empty() ? std::span<Value>() : row,
                                 change.type == EventType::remove ? std::span<Value>() : row,
                                 {},
                                 1});
  }
  return apply::prepare(std::move(piece));
}

}  // namespace

TEST_CASE("two batches may be written at once when no row is in both") {
  const auto first = batch({{EventType::insert, &images, "1"}, {EventType::insert, &images, "2"}});
  CHECK(independent(*first, *batch({{EventType::insert, &images, "3"}})));
  CHECK(independent(*first, *batch({{EventType::update, &images, "3"}, {EventType::remove, &images, "4"}})));
  CHECK(independent(*first, *batch({{EventType::update, &other, "1"}})));
  CHECK(independent(*batch({{EventType::insert, &log_lines, "1"}}), *batch({{EventType::insert, &log_lines, "1"}})));
}

TEST_CASE("a row in both, another shape of its table, or what is not folded makes them go one by one") {
  const auto first = batch({{EventType::insert, &images, "1"}, {EventType::insert, &images, "2"}});
  CHECK_FALSE(independent(*first, *batch({{EventType::update, &images, "2"}})));
  CHECK_FALSE(independent(*first, *batch({{EventType::remove, &images, "1"}})));
  CHECK_FALSE(independent(*batch({{EventType::remove, &images, "1"}}), *first));
  // Gone at the end of the batch, and yet the row is in both.
  CHECK_FALSE(independent(*batch({{EventType::insert, &images, "9"}, {EventType::remove, &images, "9"}}),
                          *batch({{EventType::insert, &images, "9"}})));
  const Relation altered = relation("images");
  CHECK_FALSE(independent(*first, *batch({{EventType::insert, &altered, "3"}})));
  auto ordered = batch({{EventType::insert, &images, "3"}});
  ordered->piece.in_order = true;
  CHECK_FALSE(independent(*first, *ordered));
  auto open = batch({{EventType::insert, &images, "3"}});
  open->piece.ends_batch = false;
  CHECK_FALSE(independent(*first, *open));
  CHECK_FALSE(independent(*open, *first));
}
