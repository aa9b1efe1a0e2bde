// What a crash or a bad disk leaves, and what comes of it.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "faults.hpp"
#include "sample.hpp"
#include "spool/recover.hpp"

using namespace sample;

namespace {

// A spool with transactions 1 to `last`, one frame each where compressed, and the mark as it was after `marked`.
struct Crashed {
  Crashed(bool compress, uint64_t marked, uint64_t last) : s(compress) {
    for (uint64_t n = 1; n <= last; ++n) {
      put(s, stream(n, n));
      ends.push_back(s.mark().segment_bytes);
      if (n == marked) mark = content(spool::mark_path(s.directory()));
    }
    segment = s.segments()[0].path;
    bytes = content(segment);
  }
  void restore(const std::string& segment_bytes) const {
    write(segment, segment_bytes);
    write(spool::mark_path(s.directory()), mark);
  }
  Spool s;
  std::string mark;
  std::vector<uint64_t> ends;  // of the segment, after each transaction
  fs::path segment;
  std::string bytes;
};

}  // namespace

TEST_CASE("a segment cut at any byte opens with its whole transactions, or is called damaged below the mark") {
  const faults::NoSync fast;
  const bool compress = GENERATE(false, true);
  const Crashed c(compress, 2, 4);
  for (size_t size = 0; size <= c.bytes.size(); ++size) {
    c.restore(c.bytes.substr(0, size));
    if (size < c.ends[1]) {
      const std::string error = error_of(base::Exit::data, [&] { put(c.s, ""); });
      if (!has(error, c.segment.string() + ":")) FAIL("cut at " << size << ": " << error);
      if (content(c.segment).size() != size) FAIL("cut at " << size << ": the damaged file was changed");
      continue;
    }
    uint64_t whole = 2;
    while (whole < 4 && c.ends[whole] <= size) ++whole;
    put(c.s, "");
    const Content now = read(c.s.directory());
    if (now.error != "" || now.transactions != transactions(1, whole)) FAIL("cut at " << size << ": " << now.error);
    if (c.s.mark().transactions != whole) FAIL("cut at " << size);
    if (content(c.segment).size() != c.ends[whole - 1]) FAIL("cut at " << size << ": the tail is still there");
    put(c.s, stream(whole + 1, 5));
    if (read(c.s.directory()).transactions != transactions(1, 5)) FAIL("cut at " << size << ", then put on");
  }
}

TEST_CASE("garbage after the last whole transaction is cut off") {
  const bool compress = GENERATE(false, true);
  const Crashed c(compress, 2, 3);
  for (const std::string& tail :
       {std::string(5000, '\0'), std::string("{\"type\":\"begin\""), begin_line(4) + row_line(4, 0), transaction(4),
        std::string("\n\n\n"), c.bytes.substr(c.ends[1], c.ends[2] - c.ends[1])}) {
    c.restore(c.bytes + tail);
    put(c.s, "");
    CHECK(read(c.s.directory()).transactions == transactions(1, 3));
    CHECK(content(c.segment) == c.bytes);
    CHECK(spool::check(c.s.settings).findings.empty());
  }
}

TEST_CASE("a flipped byte is noticed by the reader and by check, or changes nothing") {
  const faults::NoSync fast;
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  for (uint64_t n = 1; n <= 3; ++n) put(s, stream(n, n, 1));
  const fs::path segment = s.segments()[0].path;
  const std::string good = content(segment);
  const std::vector<std::string> all = transactions(1, 3, 1);
  size_t harmless = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char flip : {'\x01', '\x20', '\x80'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      write(segment, bad);
      const Content now = read(s.directory());
      const bool prefix = now.transactions.size() <= all.size() &&
                          std::equal(now.transactions.begin(), now.transactions.end(), all.begin());
      if (!prefix) FAIL("byte " << i << ": the reader gave what was never put");
      if (now.error.empty() && now.transactions != all) FAIL("byte " << i << ": the reader noticed nothing");
      const bool found = !spool::check(s.settings).findings.empty();
      if (found != !now.error.empty()) FAIL("byte " << i << ": check and reader disagree; " << now.error);
      if (!now.error.empty() && !has(now.error, segment.string() + ":")) FAIL("byte " << i << ": " << now.error);
      harmless += now.error.empty();
      // Not to be cut: all of it was durable once.
      if (!now.error.empty() && error_of(base::Exit::data, [&] { put(s, ""); }).empty())
        FAIL("byte " << i << ": put went on");
    }
  }
  CHECK(harmless <= (compress ? 30 : 0));  // bits of a frame's head that mean nothing
}

TEST_CASE("synced and not marked: the transaction is kept, and a second delivery of it left out") {
  const bool compress = GENERATE(false, true);
  const Crashed c(compress, 1, 3);
  c.restore(c.bytes);
  const spool::End end = spool::scan_end(c.s.directory());
  CHECK(end.mark.lsn == end_of(3));
  CHECK(c.s.mark().lsn == end_of(1));  // only looked
  CHECK(put(c.s, stream(2, 4)).repeated == 2);
  CHECK(c.s.mark().transactions == 4);
  CHECK(c.s.mark().operations == 8);
  CHECK(read(c.s.directory()).transactions == transactions(1, 4));
}

TEST_CASE("whole segments after the mark are kept, a hole before them is not bridged") {
  Spool s;
  s.settings.spool.max_bytes = 64 * 1024;  // segments of 8 KiB
  put(s, stream(1, 2, 2, 1000));
  const std::string mark = content(spool::mark_path(s.directory()));
  put(s, stream(3, 14, 2, 1000));
  const auto segments = s.segments();
  REQUIRE(segments.size() >= 3);
  write(spool::mark_path(s.directory()), mark);
  put(s, "");
  CHECK(read(s.directory()).transactions == transactions(1, 14, 2, 1000));
  // The power went while the first of them was not on disk whole.
  write(spool::mark_path(s.directory()), mark);
  const std::string first = content(segments[0].path);
  write(segments[0].path, first.substr(0, first.size() - 10));
  put(s, "");
  const Content now = read(s.directory());
  CHECK(now.error == "");
  CHECK(now.transactions.size() >= 2);
  CHECK(s.segments().size() == 1);
  const uint64_t whole = now.transactions.size();
  CHECK(now.transactions == transactions(1, whole, 2, 1000));
  put(s, stream(whole + 1, 14, 2, 1000));
  CHECK(read(s.directory()).transactions == transactions(1, 14, 2, 1000));
  CHECK(spool::check(s.settings).findings.empty());
}

TEST_CASE("a segment without a whole transaction is removed, one of another source never") {
  const bool compress = GENERATE(false, true);
  Spool s(compress);
  put(s, stream(1, 2));
  const std::string header = source_line(end_of(2)) + relation_line();
  const fs::path next = spool::segment_at(s.directory(), lsn_of(3), false).path;
  for (const std::string& bytes : {std::string(), header.substr(0, 20), header, header + begin_line(3),
                                   header + transaction(3)}) {  // without checksums
    write(next, bytes);
    CHECK(read(s.directory()).transactions == transactions(1, 2));
    put(s, "");
    CHECK(s.segments().size() == 1);
  }
  change::Source other = source;
  other.system_id = "1";
  std::string foreign;
  change::append_source(foreign, other, end_of(2));
  write(next, foreign);
  CHECK(has(error_of(base::Exit::data, [&] { put(s, ""); }), "it comes from another source"));
  CHECK(s.segments().size() == 2);
}

TEST_CASE("a mark with both copies damaged is made again from the segments") {
  const bool compress = GENERATE(false, true);
  Spool s(compress);
  s.settings.spool.max_bytes = 64 * 1024;
  put(s, stream(1, 14, 2, 1000));
  const spool::Mark before = s.mark();
  write(spool::mark_path(s.directory()), std::string(1024, 'x'));
  CHECK(has(read(s.directory()).error, "is damaged"));
  const Log log;
  put(s, "");
  CHECK(log.count(base::Level::warn, "was damaged") == 1);
  const spool::Mark after = s.mark();
  CHECK(after.source == before.source);
  CHECK(after.lsn == before.lsn);
  CHECK(after.commit_lsn == before.commit_lsn);
  CHECK(after.operations == before.operations);
  CHECK(after.segment == before.segment);
  CHECK(after.segment_bytes == before.segment_bytes);
  CHECK(after.segment_chain == before.segment_chain);
  CHECK(spool::check(s.settings).findings.empty());
  put(s, stream(15, 16, 2, 1000));
  CHECK(read(s.directory()).transactions == transactions(1, 16, 2, 1000));
  // Without segments there is nothing to make it from.
  const Spool empty;
  write(spool::mark_path(empty.directory()), "");
  CHECK(has(error_of(base::Exit::data, [&] { put(empty, stream(1, 1)); }), "is damaged"));
}

TEST_CASE("a newest segment that is gone is damage, not a beginning") {
  const Spool s;
  put(s, stream(1, 2));
  fs::remove(s.segments()[0].path);
  CHECK(has(error_of(base::Exit::data, [&] { put(s, stream(1, 3)); }), "is missing"));
  CHECK(!read(s.directory()).error.empty());
  CHECK(spool::check(s.settings).findings.size() == 1);
}
