#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "sample.hpp"
#include "spool/report.hpp"

using namespace sample;

TEST_CASE("stat tells what waits for whom") {
  Spool s;
  s.settings.nodes["second"] = {.name = "second", .role = config::Role::secondary, .database_url = {}, .host = {}};
  s.settings.synchronization.max_queue_size = 19;
  CHECK(has(error_of(base::Exit::data, [&] { spool::stat(settings_for(s.folder.path() / "no")); }), "capture init"));
  nlohmann::json json = nlohmann::json::parse(spool::stat_json(spool::stat(s.settings)));
  CHECK(json["operations"] == 0);
  CHECK(json["oldest_pending"].is_null());
  CHECK(json["lsn"] == "0/1000000");
  CHECK(json["nodes"]["second"]["lsn"].is_null());

  put(s, stream(1, 10));
  spool::CursorFile(s.directory(), "backup").publish({lsn_of(10), end_of(10), 20, time_of(10)});
  json = nlohmann::json::parse(spool::stat_json(spool::stat(s.settings)));
  CHECK(json["operations"] == 20);  // the slowest has none
  CHECK(json["congested"] == true);
  CHECK(json["transactions"] == 10);
  CHECK(json["segments"] == 1);
  CHECK(json["bytes"] == s.mark().segment_bytes);
  CHECK(json["max_bytes"] == s.settings.spool.max_bytes);
  CHECK(json["dead"] == 0);
  CHECK(json["writer"] == false);
  CHECK(json["oldest_pending"] == base::iso_time(time_of(1)));
  CHECK(json["nodes"]["backup"]["operations"] == 0);
  CHECK(json["nodes"]["backup"]["applied"] == 20);
  CHECK(json["nodes"]["backup"]["lsn"] == lsn_of(10).text());
  CHECK(json["nodes"]["backup"]["time"] == base::iso_time(time_of(10)));

  spool::CursorFile(s.directory(), "second").publish({lsn_of(4), end_of(4), 8, time_of(4)});
  write(spool::dead_path(s.directory()) / "one.json", "{}");
  const spool::Stat stat = spool::stat(s.settings);
  CHECK(stat.waiting == 12);
  CHECK_FALSE(stat.congested);
  CHECK(stat.oldest_pending == time_of(5));
  CHECK(stat.dead == 1);
  const std::string text = spool::stat_text(stat);
  CHECK(has(text, "12 operations, the oldest of " + base::iso_time(time_of(5))));
  CHECK(has(text, "second"));
}

TEST_CASE("list has a line a segment") {
  Spool s;
  s.settings.spool.max_bytes = 16 << 10;
  for (uint64_t n = 1; n <= 6; n += 2) put(s, stream(n, n + 1, 1, 1100));
  const auto list = spool::list(s.settings);
  REQUIRE(list.size() == 3);
  CHECK(list[1].segment.first == lsn_of(3));
  CHECK(list[1].last == lsn_of(4));
  CHECK(list[1].operations == 2);
  CHECK(list[1].time == time_of(4));
  CHECK(list[1].damage == "");
  const std::string json = spool::list_json(list);
  const nlohmann::json first = nlohmann::json::parse(json.substr(0, json.find('\n')));
  CHECK(first["name"] == "0000000001001000.jsonl");
  CHECK(first["first"] == "0/1001000");
  CHECK(first["last"] == "0/1002000");
  CHECK(first["bytes"] == list[0].segment.bytes);
  CHECK(has(spool::list_text(list), "0000000001003000.jsonl"));
  std::string bytes = content(list[1].segment.path);
  bytes[bytes.size() - 200] = 'X';
  write(list[1].segment.path, bytes);
  CHECK(has(spool::list_text(spool::list(s.settings)), "damaged: "));
}

TEST_CASE("check finds what is wrong, a line each, and nothing where nothing is") {
  Spool s;
  s.settings.spool.max_bytes = 16 << 10;
  const auto findings = [&s] { return spool::check_text(spool::check(s.settings)); };
  CHECK(findings() == "ok: 0 segments, 0 transactions, 0 operations, 0 bytes\n");
  for (uint64_t n = 1; n <= 6; n += 2) put(s, stream(n, n + 1, 1, 1100));
  CHECK(has(findings(), "ok: 3 segments, 6 transactions, 6 operations, "));

  write(spool::segments_path(s.directory()) / "notes.txt", "");
  CHECK(has(findings(), "notes.txt: not a segment"));
  fs::remove(spool::segments_path(s.directory()) / "notes.txt");

  spool::CursorFile(s.directory(), "backup").publish({lsn_of(7), end_of(7), 7, time_of(7)});
  CHECK(has(findings(), "the spool ends before it"));
  spool::CursorFile(s.directory(), "backup").publish({lsn_of(1), end_of(1), 1, time_of(1)});
  CHECK(has(findings(), "ok: "));
  const std::string first = content(s.segments()[0].path);
  fs::remove(s.segments()[0].path);
  CHECK(has(findings(), "what it needs next is gone"));
  write(spool::segment_at(s.directory(), lsn_of(1), false).path, first);

  std::string mark = content(spool::mark_path(s.directory()));
  const std::string good = mark;
  mark[700] = '?';
  write(spool::mark_path(s.directory()), mark);
  CHECK(has(findings(), "one of its two copies is damaged"));
  put(s, source_line() + keepalive_line(lsn_of(8)));
  CHECK(has(findings(), "ok: "));

  std::string bytes = content(s.segments()[1].path);
  bytes[bytes.size() / 2] ^= 1;
  write(s.segments()[1].path, bytes);
  CHECK(has(findings(), s.segments()[1].path.string() + ":"));
  bytes[bytes.size() / 2] ^= 1;
  write(s.segments()[1].path, bytes);

  const auto newest = s.segments().back().path;
  bytes = content(newest);
  write(newest, bytes.substr(0, bytes.size() - 1));
  CHECK(has(findings(), "the file ends here"));
  write(newest, bytes + "{\"type\":\"beg");  // a writer at work, or a crash for the next put to mend
  CHECK(has(findings(), "ok: "));
}

TEST_CASE("check runs beside a writer and a prune") {
  Spool s;
  s.settings.spool.max_bytes = 2 << 20;
  LivePut live(s.settings);
  std::atomic<bool> fed{false};
  std::thread feeder([&] {
    live.write(source_line() + relation_line());
    for (uint64_t n = 1; n <= 1500; ++n) live.write(transaction(n, 2, 400));
    fed = true;
  });
  size_t checks = 0;
  std::string wrong;
  while (!fed || checks < 3) {
    const spool::CheckResult result = spool::check(s.settings);
    ++checks;
    if (!result.findings.empty()) wrong = result.findings[0];
  }
  feeder.join();
  CHECK(wrong == "");
  CHECK(live.finish() == "");
  CHECK(spool::check(s.settings).transactions == 1500);
}
