#include "apply/selection.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace {

change::Relation relation(const std::string& table) {
  change::Relation out;
  out.table = {"public", table};
  out.text = "public." + table;
  for (const char* name : {"a", "b", "c"}) out.columns.push_back({name, "text"});
  out.key = {1, 2};
  return out;
}

std::string texts(std::span<const change::Value> values) {
  std::string out;
  for (const change::Value& value : values) out += value.text();
  return out;
}

}  // namespace

TEST_CASE("all are taken as they are, unless something is left out") {
  base::Arena arena;
  const change::Relation one = relation("one");
  std::vector<change::Value> row = {change::Value::of("A"), change::Value::of("B"), change::Value::of("C")};
  apply::Selection all;
  CHECK(all.shape(one) == &one);
  CHECK(all.row(one, row, arena).data() == row.data());
}

TEST_CASE("a table that is paused is not taken, and one that comes back is taken alone") {
  const change::Relation one = relation("one");
  const change::Relation two = relation("two");
  apply::Selection others = apply::Selection::all_but({"public.one"}, {});
  CHECK(others.shape(one) == nullptr);
  CHECK(others.shape(two) == &two);
  apply::Selection only = apply::Selection::only("public.one", {});
  CHECK(only.shape(one) == &one);
  CHECK(only.shape(two) == nullptr);
  CHECK(only.takes("public.one"));
  CHECK_FALSE(only.takes("public.two"));
}

TEST_CASE("columns that are left out go from shape, row and key alike") {
  base::Arena arena;
  const change::Relation one = relation("one");
  const change::Relation two = relation("two");
  std::vector<change::Value> row = {change::Value::of("A"), change::Value::of("B"), change::Value::of("C")};
  std::vector<change::Value> key = {change::Value::of("B"), change::Value::of("C")};
  apply::Selection some = apply::Selection::all_but({}, {{"public.one", {"b"}}});
  const change::Relation* const shape = some.shape(one);
  REQUIRE(shape != nullptr);
  CHECK(shape->columns.size() == 2);
  CHECK(shape->key == std::vector<uint16_t>{1});
  CHECK(some.shape(one) == shape);
  CHECK(texts(some.row(one, row, arena)) == "AC");
  CHECK(texts(some.key(one, key, arena)) == "C");
  CHECK(some.row(one, {}, arena).empty());
  CHECK(some.shape(two) == &two);
  CHECK(texts(some.row(two, row, arena)) == "ABC");
}

TEST_CASE("of tables that are not synced nothing is taken") {
  const change::Relation one = relation("one");
  const change::Relation two = relation("two");
  apply::Selection synced = apply::Selection::all_but({}, {}, std::set<std::string>{"public.two"});
  CHECK(synced.shape(one) == nullptr);
  CHECK(synced.shape(two) == &two);
  CHECK(synced.shape(one) == nullptr);
  CHECK_FALSE(synced.takes("public.one"));
}
