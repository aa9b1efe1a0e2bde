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

std::string texts(const std::vector<std::span<Value>>& rows) {
  std::string out;
  for (const auto& row : rows) out += (out.empty() ? "" : " ") + std::string(row[0].text());
  return out;
}

// "images: delete 1 2, update 3, insert 4"
std::string told(const apply::Fold& fold) {
  std::string out;
  for (const apply::TableEffect& effect : fold.tables) {
    std::vector<std::span<Value>> deletes;
    for (const apply::DeletedRow& row : effect.deletes) deletes.push_back(row.key);
    std::string what = deletes.empty() ? "" : " delete " + texts(deletes);
    for (const apply::UpdateGroup& group : effect.updates) what += " update " + texts(group.rows);
    if (!effect.inserts.empty()) what += " insert " + texts(effect.inserts);
    if (!what.empty()) out += (out.empty() ? "" : "; ") + effect.relation->table.name + what;
  }
  return out;
}

// How the second is parted: "AHEAD | AFTER"
std::string parted(const std::vector<Change>& first, const std::vector<Change>& second, bool overlap = true) {
  const auto before = batch(first);
  const auto after = batch(second);
  const apply::Parts parts = apply::parts_of(*before, *after, overlap);
  return told(parts.ahead) + " | " + told(parts.after);
}

constexpr EventType in = EventType::insert;
constexpr EventType up = EventType::update;
constexpr EventType del = EventType::remove;

}  // namespace

TEST_CASE("of two batches the second may go ahead but for the rows that are in both") {
  CHECK(parted({{in, &images, "1"}, {in, &images, "2"}}, {{in, &images, "3"}}) == "images insert 3 | ");
  CHECK(parted({{in, &images, "1"}}, {{up, &images, "3"}, {del, &images, "4"}}) == "images delete 4 update 3 | ");
  CHECK(parted({{in, &images, "1"}}, {{up, &other, "1"}}) == "other update 1 | ");
  CHECK(parted({{up, &images, "1"}, {up, &images, "2"}}, {{up, &images, "2"}, {up, &images, "3"}}) ==
        "images update 3 | images update 2");
  CHECK(parted({{in, &images, "1"}, {in, &images, "5"}},
               {{del, &images, "1"}, {del, &images, "2"}, {up, &images, "5"}}) ==
        "images delete 2 | images delete 1 update 5");
  // Replaced: deleted and made anew, which stay together.
  CHECK(parted({{up, &images, "1"}}, {{del, &images, "1"}, {in, &images, "1"}, {in, &images, "7"}}) ==
        " | images delete 1 insert 1 7");
  // The server may call two spellings of a key equal, so what is inserted does not go before what is deleted.
  CHECK(parted({{in, &images, "Bob"}, {del, &images, "Bob"}},
               {{in, &images, "Bob"}, {del, &images, "Bob"}, {in, &images, "bob"}}) ==
        " | images delete Bob insert bob");
  // Gone at the end of the first batch, and yet the row is in both.
  CHECK(parted({{in, &images, "9"}, {del, &images, "9"}}, {{in, &images, "9"}}) == " | images insert 9");
  // Rows without a key are never the same.
  CHECK(parted({{in, &log_lines, "1"}}, {{in, &log_lines, "1"}}) == "log_lines insert 1 | ");
}

TEST_CASE("nothing goes ahead where it may not, or where the table had another shape") {
  CHECK(parted({{in, &images, "1"}}, {{in, &images, "3"}, {up, &other, "4"}}, false) ==
        " | images insert 3; other update 4");
  const Relation altered = relation("images");
  CHECK(parted({{in, &images, "1"}}, {{in, &altered, "3"}, {up, &other, "4"}}) == "other update 4 | images insert 3");
}

TEST_CASE("only a whole batch that is folded is parted") {
  CHECK(is_whole_and_folded(*batch({{in, &images, "3"}})));
  auto ordered = batch({{in, &images, "3"}});
  ordered->piece.in_order = true;
  CHECK_FALSE(is_whole_and_folded(*ordered));
  auto open = batch({{in, &images, "3"}});
  open->piece.ends_batch = false;
  CHECK_FALSE(is_whole_and_folded(*open));
}
