#include <fcntl.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "sample.hpp"
#include "spool/proof.hpp"
#include "spool/prune.hpp"

using namespace sample;

namespace {

// Six segments of two transactions each.
struct Six : Spool {
  Six() {
    settings.spool.max_bytes = 20 << 10;
    settings.nodes["second"] = {.name = "second", .role = config::Role::secondary, .database_url = {}, .host = {}};
    for (uint64_t n = 1; n <= 12; n += 2) put(*this, stream(n, n + 1, 1, 1100));
    settings.spool.max_bytes = 1 << 30;
  }
  void applied(const std::string& node, uint64_t n) const {
    spool::CursorFile(directory(), node).publish({lsn_of(n), end_of(n), n, time_of(n)});
  }
};

}  // namespace

TEST_CASE("a segment goes when every standby has applied more than it, the newest never") {
  const Six s;
  REQUIRE(s.segments().size() == 6);
  CHECK(spool::prune(s.settings).empty());  // nobody has said anything
  s.applied("backup", 12);
  CHECK(spool::prune(s.settings).empty());  // the second has not
  s.applied("second", 6);
  CHECK(spool::prune(s.settings) == std::vector<std::string>{"0000000001001000.jsonl", "0000000001003000.jsonl"});
  CHECK(spool::prune(s.settings).empty());
  s.applied("second", 7);
  CHECK(spool::prune(s.settings).size() == 1);
  s.applied("second", 12);
  CHECK(spool::prune(s.settings).size() == 2);
  CHECK(s.segments().size() == 1);
  CHECK(spool::check(s.settings).findings.empty());
  put(s, stream(13, 14));
  CHECK(read(s.directory(), lsn_of(12), end_of(12)).transactions == transactions(13, 14));
}

TEST_CASE("what a paused table of one standby waits for stays, though all else has it") {
  const Six s;
  s.applied("second", 12);
  spool::CursorFile(s.directory(), "backup").publish({lsn_of(12), end_of(12), 12, time_of(12), lsn_of(6)});
  CHECK(spool::read_cursor(s.directory(), "backup")->paused == lsn_of(6));
  CHECK(spool::prune(s.settings).size() == 2);
  s.applied("backup", 12);
  CHECK_FALSE(spool::read_cursor(s.directory(), "backup")->paused.has_value());
  CHECK(spool::prune(s.settings).size() == 3);
}

TEST_CASE("what the next full pass wants stays, until room is short or it is a tenth of the spool") {
  Six s;
  s.applied("backup", 12);
  s.applied("second", 12);
  spool::want_from(s.directory(), "backup", lsn_of(6));
  spool::want_from(s.directory(), "second", lsn_of(9));
  CHECK(spool::wanted_from(s.settings) == lsn_of(6));
  CHECK(spool::prune(s.settings) == std::vector<std::string>{"0000000001001000.jsonl", "0000000001003000.jsonl"});
  CHECK(spool::prune(s.settings).empty());
  SECTION("until that pass was made") {
    spool::want_from(s.directory(), "backup", lsn_of(12));
    CHECK(spool::prune(s.settings).size() == 2);
    CHECK(spool::wanted_from(s.settings) == lsn_of(9));
  }
  SECTION("until room is short") { CHECK(spool::prune(s.settings, spool::Short::yes).size() == 3); }
  SECTION("until there is too much of it") {
    uint64_t bytes = 0;
    for (const spool::Segment& segment : s.segments()) bytes += segment.bytes;
    s.settings.spool.max_bytes = static_cast<int64_t>(10 * (bytes - s.segments().back().bytes));
    CHECK(spool::prune(s.settings).empty());
    s.settings.spool.max_bytes -= 10;
    CHECK(spool::prune(s.settings).size() == 3);
    CHECK_FALSE(spool::wanted_from(s.settings));
    CHECK_FALSE(spool::is_wanted(s.directory(), "backup"));
  }
  SECTION("unless it is damaged") {
    write(spool::proof_path(s.directory(), "backup"), "0/");
    CHECK(spool::prune(s.settings).size() == 2);
  }
}

TEST_CASE("an unreadable cursor holds everything") {
  const Six s;
  s.applied("backup", 12);
  s.applied("second", 12);
  const Log log;
  for (const char* bytes :
       {"", "{", "{\"lsn\":\"0/1\"}", "[]", "{\"lsn\":1,\"end_lsn\":2,\"operations\":3,\"time\":4}"}) {
    write(spool::cursor_path(s.directory(), "second"), bytes);
    CHECK(spool::prune(s.settings).empty());
    CHECK(has(error_of(base::Exit::data, [&] { spool::read_cursor(s.directory(), "second"); }), "is damaged"));
  }
  CHECK(log.count(base::Level::warn, "is damaged") == 5);
  s.applied("second", 12);
  CHECK(spool::prune(s.settings).size() == 5);
}

TEST_CASE("spool.retain keeps an applied segment so long from when it was applied") {
  Six s;
  s.settings.spool.retain = 3600;
  s.applied("backup", 12);
  s.applied("second", 5);
  for (const spool::Segment& segment : s.segments()) {  // written long ago: that is not what counts
    const timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    REQUIRE(::utimensat(AT_FDCWD, segment.path.c_str(), old, 0) == 0);
  }
  CHECK(spool::prune(s.settings).empty());
  struct stat file {};
  REQUIRE(::stat(s.segments()[0].path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0400);
  REQUIRE(::stat(s.segments()[3].path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  const timespec hour_ago[2] = {{::time(nullptr) - 3601, 0}, {::time(nullptr) - 3601, 0}};
  REQUIRE(::utimensat(AT_FDCWD, s.segments()[0].path.c_str(), hour_ago, 0) == 0);
  CHECK(spool::prune(s.settings).size() == 1);
  s.settings.spool.retain = 0;
  CHECK(spool::prune(s.settings).size() == 1);
}

TEST_CASE("cursors read back, and one applier holds a node's") {
  const Spool s;
  CHECK_FALSE(spool::read_cursor(s.directory(), "backup"));
  for (const std::string node : {"backup", "../evil", "a.lock", "a", "ü b/c"}) {
    spool::CursorFile file(s.directory(), node);
    file.publish({lsn_of(5), end_of(5), 10, time_of(5)});
    const auto cursor = spool::read_cursor(s.directory(), node);
    REQUIRE(cursor);
    CHECK(cursor->lsn == lsn_of(5));
    CHECK(cursor->end_lsn == end_of(5));
    CHECK(cursor->operations == 10);
    CHECK(cursor->time == time_of(5));
    CHECK(has(error_of(base::Exit::try_later, [&] { spool::CursorFile(s.directory(), node); }), "apply"));
    CHECK(spool::cursor_path(s.directory(), node).parent_path() == s.directory() / "cursors");
  }
  CHECK(spool::cursor_path("/s", "a.lock") != spool::cursor_lock_path("/s", "a"));
  CHECK(spool::cursor_path("/s", "ü/") == "/s/cursors/%C3%BC%2F");
}
