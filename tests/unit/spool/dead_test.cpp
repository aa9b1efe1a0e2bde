// Letters in quarantine: what is put is read again to the byte, in the primary's order, and leaves an audit record.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "sample.hpp"
#include "spool/dead.hpp"
#include "spool/layout.hpp"

using namespace sample;

namespace {

spool::DeadLetter letter(uint64_t n, uint64_t ordinal, std::vector<uint64_t> keys, const std::string& node = "backup") {
  spool::DeadLetter out;
  out.node = node;
  out.lsn = lsn_of(n);
  out.ordinal = ordinal;
  out.table = "public.images";
  out.type = "insert";
  out.sqlstate = "23514";
  out.message = "refused: \"small\"";
  out.relation = R"({"type":"relation","table":"public.images","columns":[],"key":[],"identity":"default"})";
  out.change = R"({"type":"insert","table":"public.images","key":{"id":1},"new":{"id":1,"x":"1.00"}})";
  out.present = R"({"id":1})";
  out.keys = std::move(keys);
  out.time = time_of(n);
  return out;
}

std::string actions(const Spool& s) {
  std::ifstream file(spool::audit_path(s.directory()));
  std::string out;
  for (std::string line; std::getline(file, line);)
    out += (out.empty() ? "" : " ") + nlohmann::json::parse(line)["action"].get<std::string>();
  return out;
}

}  // namespace

TEST_CASE("a letter is read again as it was put, and in the primary's order") {
  const Spool s;
  spool::make_spool_directories(s.directory());
  CHECK(spool::dead_letters(s.directory()).empty());
  spool::DeadLetter second = letter(2, 1, {7, 8});
  second.superseded_by = lsn_of(9);
  spool::put_dead(s.directory(), second);
  spool::put_dead(s.directory(), letter(1, 10, {7}));
  spool::put_dead(s.directory(), letter(1, 9, {}, "od/d node"));
  const auto all = spool::dead_letters(s.directory());
  REQUIRE(all.size() == 3);
  CHECK(all[0].node == "od/d node");
  CHECK(all[1].ordinal == 10);
  CHECK(all[2].change == second.change);
  CHECK(all[2].relation == second.relation);
  CHECK(all[2].present == second.present);
  CHECK(all[2].keys == second.keys);
  CHECK(all[2].message == second.message);
  CHECK(all[2].superseded_by == second.superseded_by);
  CHECK(all[2].time == second.time);
  CHECK(spool::dead_letters(s.directory(), "backup").size() == 2);
  spool::put_dead(s.directory(), second);
  CHECK(spool::dead_letters(s.directory()).size() == 3);
}

TEST_CASE("a retry takes along what concerns the same rows, a drop only what was named") {
  const Spool s;
  spool::make_spool_directories(s.directory());
  for (const auto& one : {letter(1, 1, {7}), letter(2, 1, {7, 8}), letter(3, 1, {9}), letter(4, 1, {7}, "other")})
    spool::put_dead(s.directory(), one);
  spool::retry_dead(s.settings, letter(1, 1, {}).id());
  std::string marked;
  for (const auto& one : spool::dead_letters(s.directory())) marked += one.retry ? '1' : '0';
  CHECK(marked == "1100");
  spool::drop_dead(s.settings, letter(2, 1, {}).id());
  CHECK(spool::dead_letters(s.directory()).size() == 3);
  CHECK(actions(s) == "retry retry dropped");
  CHECK_THROWS_AS(spool::drop_dead(s.settings, "0/1#1"), base::Error);
  CHECK_THROWS_AS(spool::drop_dead(s.settings, ""), base::Error);
  spool::drop_dead(s.settings, "all");
  CHECK(spool::dead_letters(s.directory()).empty());
}

TEST_CASE("a damaged letter is named, not passed over") {
  const Spool s;
  spool::make_spool_directories(s.directory());
  spool::put_dead(s.directory(), letter(1, 1, {}));
  for (const auto& file : spool::list_dead(s.directory())) std::ofstream(file) << "{}";
  CHECK_THROWS_AS(spool::dead_letters(s.directory()), base::Error);
}
