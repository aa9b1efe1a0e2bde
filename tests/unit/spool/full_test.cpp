// A spool that is full: spool.max_bytes and spool.strict.
#include <catch2/catch.hpp>

#include "sample.hpp"
#include "spool/prune.hpp"

using namespace sample;

namespace {

// Applies everything that is durable, as a standby would, and keeps it.
class Applier {
 public:
  explicit Applier(const Spool& s)
      : s_(s), cursor_(s.directory(), "backup"), reader_(s.directory(), {}, source.created) {}
  void run() {
    std::string open;
    change::Lsn last;
    base::Arena arena;
    int64_t time = 0;
    while (const change::Event* event = reader_.next(arena)) {
      if (event->type == change::EventType::relation) continue;
      if (event->type == change::EventType::begin) {
        open.clear();
        time = event->time;
      }
      open += reader_.line();
      arena.reset();
      if (event->type != change::EventType::commit) continue;
      transactions.push_back(open);
      last = event->lsn;
    }
    if (last > change::Lsn{}) cursor_.publish({last, reader_.position(), reader_.operations(), time});
  }
  std::vector<std::string> transactions;

 private:
  const Spool& s_;
  spool::CursorFile cursor_;
  spool::Reader reader_;
};

uint64_t bytes_of(const Spool& s) {
  uint64_t bytes = 0;
  for (const spool::Segment& segment : s.segments()) bytes += segment.bytes;
  return bytes;
}

}  // namespace

TEST_CASE("a full spool makes put wait until apply has made room; nothing is dropped") {
  const bool compress = GENERATE(false, true);
  Spool s(compress);
  s.settings.spool.max_bytes = 256 << 10;
  const Log log;
  const std::string bytes = stream(1, 1000, 2, 600);
  LivePut live(s.settings);
  std::thread feeder([&] {
    for (size_t at = 0; at < bytes.size(); at += 5000) live.write(bytes.substr(at, 5000));
  });
  REQUIRE(eventually([&] { return log.count(base::Level::warn, "spool.max_bytes") == 1; }));
  ::usleep(100000);
  CHECK_FALSE(live.ended());
  CHECK(log.count(base::Level::warn, "spool.max_bytes") == 1);
  CHECK(bytes_of(s) <= static_cast<uint64_t>(s.settings.spool.max_bytes));
  const uint64_t held = s.mark().transactions;
  CHECK(held > 0);
  CHECK(held < 1000);
  Applier applier(s);
  REQUIRE(eventually([&] {  // otherwise put waits for ever, and so would this test
    applier.run();
    return applier.transactions.size() == 1000;
  }));
  feeder.join();
  CHECK(live.finish() == "");
  CHECK(log.count(base::Level::info, "there is room") > 0);
  CHECK(applier.transactions == transactions(1, 1000, 2, 600));
  CHECK(bytes_of(s) <= static_cast<uint64_t>(s.settings.spool.max_bytes));
  CHECK(spool::check(s.settings).findings.empty());
}

TEST_CASE("a transaction larger than the spool gets in once nothing else waits there") {
  const bool compress = GENERATE(false, true);
  Spool s(compress);
  s.settings.spool.max_bytes = 100 << 10;
  const std::string large = transaction(2, 1000, 600);
  const Log log;
  LivePut live(s.settings);
  live.write(stream(1, 1));
  REQUIRE(eventually([&] { return s.mark().transactions == 1; }));
  std::thread feeder([&] { live.write(large + transaction(3)); });
  REQUIRE(eventually([&] { return log.count(base::Level::warn, "spool.max_bytes") >= 1; }));
  ::usleep(50000);
  CHECK(s.mark().transactions == 1);
  Applier applier(s);
  REQUIRE(eventually([&] {
    applier.run();
    return applier.transactions.size() == 3;
  }));
  feeder.join();
  CHECK(live.finish() == "");
  CHECK(log.count(base::Level::warn, "larger than spool.max_bytes") == 1);
  CHECK(applier.transactions == std::vector{transaction(1), large, transaction(3)});
}

TEST_CASE("under spool.strict no more than max_queue_size operations wait") {
  Spool s;
  s.settings.spool.strict = true;
  s.settings.synchronization.max_queue_size = 10;
  const Log log;
  LivePut live(s.settings);
  live.write(stream(1, 50));
  REQUIRE(eventually([&] { return log.count(base::Level::warn, "max_queue_size") == 1; }));
  CHECK(eventually([&] { return s.mark().operations == 10; }));
  ::usleep(100000);
  CHECK(s.mark().operations == 10);
  CHECK(log.count(base::Level::warn, "max_queue_size") == 1);
  Applier applier(s);
  REQUIRE(eventually([&] {
    applier.run();
    return applier.transactions.size() == 50;
  }));
  CHECK(live.finish() == "");
  CHECK(applier.transactions == transactions(1, 50));
}
