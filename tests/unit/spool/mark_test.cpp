#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "sample.hpp"

using namespace sample;

namespace {

spool::Mark numbered(uint64_t n) {
  spool::Mark mark;
  mark.source = source;
  mark.lsn = end_of(n);
  mark.commit_lsn = lsn_of(n);
  mark.end_lsn = end_of(n);
  mark.operations = 2 * n;
  mark.transactions = n;
  mark.time = time_of(n);
  mark.segment = lsn_of(1);
  mark.segment_bytes = 100 * n;
  mark.segment_chain = n * 0x9E3779B97F4A7C15;
  return mark;
}

bool same(const spool::Mark& a, const spool::Mark& b) {
  return a.source == b.source && a.lsn == b.lsn && a.commit_lsn == b.commit_lsn && a.end_lsn == b.end_lsn &&
         a.operations == b.operations && a.transactions == b.transactions && a.time == b.time &&
         a.segment == b.segment && a.segment_bytes == b.segment_bytes && a.segment_chain == b.segment_chain;
}

}  // namespace

TEST_CASE("a founded spool is empty, private, and begins where its slot does") {
  const Spool s;
  const spool::Mark mark = s.mark();
  CHECK(mark.source == source);
  CHECK(mark.lsn == source.created);
  CHECK(mark.end_lsn == source.created);
  CHECK(mark.commit_lsn == change::Lsn{});
  CHECK(mark.operations == 0);
  struct stat file {};
  for (const char* name : {"", "segments", "cursors", "dead"}) {
    REQUIRE(::stat((s.directory() / name).c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0700);
  }
  REQUIRE(::stat(spool::mark_path(s.directory()).c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
}

TEST_CASE("founding is idempotent for one source and refused for another") {
  const Spool s;
  put(s, stream(1, 2));
  spool::found(s.directory(), source);
  CHECK(s.mark().transactions == 2);
  change::Source other = source;
  other.created = {0x2000000};
  CHECK(has(error_of(base::Exit::data, [&] { spool::found(s.directory(), other); }), "belongs to"));
  other = source;
  other.timeline = 2;
  CHECK(has(error_of(base::Exit::data, [&] { spool::found(s.directory(), other); }), "belongs to"));
  fs::remove(spool::mark_path(s.directory()));
  CHECK(has(error_of(base::Exit::data, [&] { spool::found(s.directory(), source); }), "segments but no mark"));
}

TEST_CASE("a mark reads back as it was published, and the newest one wins") {
  const Spool s;
  CHECK_FALSE(spool::read_mark(s.folder.path() / "nowhere"));
  for (uint64_t n = 1; n < 10; ++n) {
    spool::MarkFile(s.directory()).publish(numbered(n), n % 2 ? base::Durable::yes : base::Durable::no);
    CHECK(same(s.mark(), numbered(n)));
  }
}

TEST_CASE("the longest mark fits its slot") {
  const Folder folder;
  const change::Lsn last{UINT64_MAX};
  const change::Source longest{"18446744073709551615", UINT32_MAX, std::string(63, 'x'), last};
  spool::found(folder.path() / "s", longest);
  spool::Mark mark{longest, last, last, last, UINT64_MAX, UINT64_MAX, 253402300799999999, last, UINT64_MAX, UINT64_MAX};
  spool::MarkFile file(folder.path() / "s");
  file.publish(mark, base::Durable::no);
  CHECK(same(*spool::read_mark(folder.path() / "s"), mark));
}

TEST_CASE("a flipped byte of the mark leaves the other copy, never something else") {
  const Spool s;
  spool::MarkFile(s.directory()).publish(numbered(7), base::Durable::no);
  spool::MarkFile(s.directory()).publish(numbered(8), base::Durable::no);
  const fs::path file = spool::mark_path(s.directory());
  const std::string good = content(file);
  REQUIRE(good.size() == 1024);
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char flip : {'\x01', '\x20', '\x80'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      write(file, bad);
      const spool::Mark mark = s.mark();
      if (!same(mark, numbered(8)) && !same(mark, numbered(7))) FAIL("byte " << i);
    }
  }
  for (const size_t size : {size_t{0}, size_t{1}, size_t{300}, size_t{511}}) {
    write(file, good.substr(0, size));
    CHECK(has(error_of(base::Exit::data, [&] { s.mark(); }), "is damaged"));
  }
}

TEST_CASE("a mark that is read while it is written is one of those that were written") {
  const Spool s;
  spool::MarkFile file(s.directory());
  file.publish(numbered(1), base::Durable::no);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> published{1};
  std::thread writer([&] {
    for (uint64_t n = 2; !stop; ++n) {
      file.publish(numbered(n), base::Durable::no);
      published = n;
    }
  });
  uint64_t before = 1;
  bool good = true;
  for (int i = 0; i < 20000 && good; ++i) {
    const uint64_t least = published;
    const spool::Mark mark = s.mark();
    // Never older than the one before the newest: its slot is the one being written.
    good = same(mark, numbered(mark.transactions)) && mark.transactions + 1 >= least && mark.transactions >= before;
    before = mark.transactions;
  }
  stop = true;
  writer.join();
  CHECK(good);
  CHECK(before > 1);
}

TEST_CASE("a spool with a writer is told from one without") {
  const Spool s;
  CHECK_FALSE(spool::writer_running(s.directory()));
  LivePut live(s.settings);
  live.write(stream(1, 1));
  CHECK(eventually([&] { return spool::writer_running(s.directory()); }));
  CHECK(live.finish() == "");
  CHECK_FALSE(spool::writer_running(s.directory()));
}

TEST_CASE("a segment whose position has the digits A to F is found again, by its name and by the mark") {
  const change::Lsn first{0xABCDEF12};
  CHECK(spool::segment_stem(first) == "00000000ABCDEF12");
  change::Lsn parsed;
  CHECK((spool::parse_segment_stem("00000000ABCDEF12", parsed) && parsed == first));
  for (const char* stem : {"00000000abcdef12", "0000000ABCDEF12", "00000000ABCDEF123", "00000000ABCDEFG2", ""})
    CHECK_FALSE(spool::parse_segment_stem(stem, parsed));
  const Spool s;
  spool::Mark mark = numbered(1);
  mark.segment = first;
  spool::MarkFile(s.directory()).publish(mark, base::Durable::yes);
  CHECK(s.mark().segment == first);
}
