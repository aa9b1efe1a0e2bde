// The order of change lines, and that our own reader takes them.
#include <catch2/catch.hpp>

#include <sstream>

#include "base/arena.hpp"
#include "change/reader.hpp"
#include "compare/change_lines.hpp"

using change::EventType;
using change::Value;

namespace {

change::Relation relation() {
  change::Relation out;
  out.table = {"public", "t"};
  out.text = "public.t";
  out.columns = {{"id", "integer", change::JsonKind::number}, {"v", "text", change::JsonKind::string}};
  out.key = {0};
  return out;
}

std::vector<EventType> types(const std::string& lines, uint64_t& changes) {
  change::Reader reader("test");
  base::Arena arena;
  std::istringstream in(lines);
  std::vector<EventType> out;
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    const size_t size = line.size();
    line.append(64, '\0');  // the reader looks so far ahead
    const change::Event& event = reader.read(std::string_view(line).substr(0, size), ++number, arena);
    out.push_back(event.type);
    if (event.type == EventType::commit) changes = event.changes;
    if (event.type == EventType::source) CHECK(event.cut == change::Lsn{0x100});
  }
  CHECK_FALSE(reader.in_transaction());
  return out;
}

}  // namespace

TEST_CASE("deletes come before updates before inserts, and what the last table gets before what others do") {
  std::string out;
  const change::Relation child = relation();
  change::Relation parent = relation();
  parent.table.name = "u";
  parent.text = "public.u";
  compare::ChangeLines lines([&](std::string_view some) { out += some; }, {"7314", 1, "slot", {1}}, {0x100}, 2);
  const std::vector<Value> key{Value::of("1")};
  const std::vector<Value> row{Value::of("1"), Value::of("a\tb")};
  lines.begin_table(child);
  lines.insert(key, row);
  lines.update(key, row);
  lines.remove(key);
  lines.begin_table(parent);
  lines.copy();
  lines.finish();
  uint64_t changes = 0;
  CHECK(types(out, changes) == std::vector{EventType::source, EventType::begin, EventType::relation, EventType::remove,
                                           EventType::copy, EventType::update, EventType::insert, EventType::commit});
  CHECK(changes == 4);
  CHECK(out.find("\"relation\"") == out.rfind("\"relation\""));
}

TEST_CASE("where nothing differs there is no line") {
  std::string out;
  const change::Relation shape = relation();
  compare::ChangeLines lines([&](std::string_view some) { out += some; }, {"7314", 1, "slot", {1}}, {0x100}, 1);
  lines.begin_table(shape);
  lines.finish();
  CHECK(out.empty());
}
