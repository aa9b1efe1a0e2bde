#include <catch2/catch.hpp>

#include "sample.hpp"

using namespace sample;

namespace {

struct Rolled : Spool {
  explicit Rolled(bool compress = false) : Spool(compress) {
    settings.spool.max_bytes = compress ? 72 << 10 : 128 << 10;  // segments of 9 and of 16 KiB
    // In pieces, since a segment ends only where a frame does.
    for (uint64_t n = 1; n <= 40; n += 4) put(*this, stream(n, n + 3, 2, 1000));
  }
};

}  // namespace

TEST_CASE("a reader starts after any transaction, and refuses to start after a gap") {
  const bool compress = GENERATE(false, true);
  const Rolled s(compress);
  REQUIRE(s.segments().size() > 3);
  for (uint64_t n = 0; n <= 40; ++n) {
    const change::Lsn after = n == 0 ? change::Lsn{} : lsn_of(n);
    const Content rest = read(s.directory(), after, n == 0 ? source.created : end_of(n));
    if (rest.error != "" || rest.transactions != transactions(n + 1, 40, 2, 1000)) FAIL("after " << n << rest.error);
  }
  // Between transactions, and beyond the end.
  CHECK(read(s.directory(), {lsn_of(7).value + 5}).transactions == transactions(8, 40, 2, 1000));
  CHECK(read(s.directory(), lsn_of(100)).transactions.empty());
  CHECK(has(read(s.directory(), {}, {source.created.value - 1}).error, "begins after 0/1000000"));
  fs::remove(s.segments()[0].path);
  const change::Lsn begin = s.segments()[0].first;
  CHECK(has(read(s.directory(), {}, source.created).error, "sync-full --init"));
  uint64_t first = 1;
  while (lsn_of(first) < begin) ++first;
  CHECK(read(s.directory(), lsn_of(first - 1), end_of(first - 1)).transactions == transactions(first, 40, 2, 1000));
}

TEST_CASE("a reader knows shapes, counts and places") {
  const Rolled s;
  spool::Reader reader(s.directory(), lsn_of(10), end_of(10));
  base::Arena arena;
  CHECK(reader.mark().transactions == 40);
  const change::Event* event = reader.next(arena);
  const change::Relation* shape = nullptr;
  while (event != nullptr && event->type == change::EventType::relation) {
    shape = event->relation;
    event = reader.next(arena);
  }
  REQUIRE(event != nullptr);
  REQUIRE(shape != nullptr);
  CHECK(*shape == images());
  CHECK(event->type == change::EventType::begin);
  CHECK(event->lsn == lsn_of(11));
  CHECK(event->time == time_of(11));
  CHECK(reader.position() == end_of(10));
  CHECK(reader.operations() == 20);
  event = reader.next(arena);
  REQUIRE(event->type == change::EventType::insert);
  CHECK(event->relation == shape);
  CHECK(event->ordinal == 1);
  CHECK(event->row[0].text() == "11000");
  event = reader.next(arena);
  CHECK(event->ordinal == 2);
  event = reader.next(arena);
  REQUIRE(event->type == change::EventType::commit);
  CHECK(reader.line() == commit_line(11, 2));
  CHECK(reader.position() == end_of(11));
  CHECK(reader.operations() == 22);
  while ((event = reader.next(arena)) != nullptr)
    if (event->relation != nullptr) CHECK(event->relation == shape);
  CHECK(reader.operations() == 80);
  CHECK(reader.position() == end_of(40));
}

TEST_CASE("a missing, a doubled and a foreign segment are told, and nothing after them is given") {
  const Rolled s;
  const auto segments = s.segments();
  REQUIRE(segments.size() > 3);
  const std::string second = content(segments[1].path);
  uint64_t whole = 0;
  while (lsn_of(whole + 1) < segments[1].first) ++whole;

  fs::remove(segments[1].path);
  Content now = read(s.directory());
  CHECK(has(now.error, "is missing"));
  CHECK(has(now.error, segments[2].path.string() + ":"));
  CHECK(now.transactions == transactions(1, whole, 2, 1000));
  CHECK(spool::check(s.settings).findings.size() == 1);

  write(segments[1].path, content(segments[2].path));  // another one under its name
  now = read(s.directory());
  CHECK(has(now.error, segments[1].path.string() + ":"));
  CHECK(now.transactions == transactions(1, whole, 2, 1000));

  write(segments[1].path, second);
  CHECK(read(s.directory()).error == "");
  write(spool::segment_at(s.directory(), segments[1].first, true).path, "");
  CHECK(has(read(s.directory()).error, "claim the same place"));
  CHECK(has(error_of(base::Exit::data, [&] { put(s, ""); }), "claim the same place"));
}

TEST_CASE("an empty spool gives nothing, and later what is put into it") {
  const Spool s;
  CHECK(has(error_of(base::Exit::data, [&] { spool::Reader(s.folder.path() / "no", {}, {}); }), "capture init"));
  CHECK(has(error_of(base::Exit::data, [&] { spool::Reader(s.directory(), {}, {5}); }), "sync-full --init"));
  spool::Reader reader(s.directory(), {}, source.created);
  base::Arena arena;
  CHECK(reader.next(arena) == nullptr);
  CHECK(reader.position() == source.created);
  put(s, source_line() + keepalive_line(lsn_of(3)));
  CHECK(reader.next(arena) == nullptr);
  CHECK(reader.mark().lsn == lsn_of(3));
  put(s, source_line(lsn_of(3)) + relation_line() + transaction(4));
  const change::Event* event = reader.next(arena);
  REQUIRE(event != nullptr);
  CHECK(event->type == change::EventType::relation);
  CHECK(reader.next(arena)->lsn == lsn_of(4));
}

TEST_CASE("a reader follows a live writer through its segments, and sees only whole transactions") {
  const bool compress = GENERATE(false, true);
  Spool s(compress);
  s.settings.spool.max_bytes = 2 << 20;  // segments of 256 KiB
  LivePut live(s.settings);
  constexpr uint64_t count = 600;
  std::thread feeder([&] {
    live.write(source_line() + relation_line());
    for (uint64_t n = 1; n <= count; ++n) {
      const std::string bytes = transaction(n, 3, 800);
      live.write(bytes.substr(0, bytes.size() / 2));  // what a reader must not see
      if (n % 16 == 0) ::usleep(2000);
      live.write(bytes.substr(bytes.size() / 2));
    }
  });
  spool::Reader reader(s.directory(), {}, source.created);
  base::Arena arena;
  uint64_t seen = 0;
  std::string open;
  bool good = true;
  CHECK(eventually([&] {
    bool inside = false;
    while (const change::Event* event = reader.next(arena)) {
      arena.reset();
      if (event->type == change::EventType::relation) continue;
      inside = event->type != change::EventType::commit;
      if (event->type == change::EventType::begin) open.clear();
      open += reader.line();
      if (event->type == change::EventType::commit) good = good && open == transaction(++seen, 3, 800);
    }
    good = good && !inside;
    return seen == count;
  }));
  feeder.join();
  CHECK(live.finish() == "");
  CHECK(good);
  CHECK(s.segments().size() > 2);
}
