#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "sample.hpp"
#include "spool/get.hpp"

using namespace sample;

namespace {

std::string got(const Spool& s, const spool::GetOptions& options = {}) {
  const fs::path file = s.folder.path() / "stdout";
  const base::Fd fd = base::open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  spool::get(s.directory(), options, fd.get());
  return content(file);
}

}  // namespace

TEST_CASE("get writes a stream that another spool takes") {
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  put(s, stream(1, 20));
  const std::string all = got(s);
  CHECK(all.rfind(source_line(), 0) == 0);
  CHECK_FALSE(has(all, "xxh3"));
  CHECK_FALSE(has(all, "operations"));
  const Spool other(!compress);
  CHECK(put(other, all).transactions == 20);
  CHECK(read(other.directory()).transactions == transactions(1, 20));
  CHECK(got(other) == all);
  const Spool empty;
  CHECK(got(empty) == source_line());
}

TEST_CASE("get takes a range of commit LSNs, both ends included") {
  const Spool s;
  put(s, stream(1, 20));
  const auto range = [&s](std::optional<change::Lsn> from, std::optional<change::Lsn> to) {
    return got(s, {.from = from, .to = to});
  };
  const auto expected = [](uint64_t first, uint64_t last) {
    std::string out = source_line(first == 1 ? source.created : end_of(first - 1));
    for (uint64_t n = first; n <= last; ++n) {
      std::string one = transaction(n);
      if (n == first) one.insert(begin_line(n).size(), relation_line());
      out += one;
    }
    return out;
  };
  CHECK(range({}, {}) == expected(1, 20));
  CHECK(range(lsn_of(5), lsn_of(7)) == expected(5, 7));
  CHECK(range(change::Lsn{lsn_of(5).value + 1}, end_of(7)) == expected(6, 7));
  CHECK(range({}, lsn_of(1)) == expected(1, 1));
  CHECK(range(change::Lsn{}, lsn_of(2)) == expected(1, 2));
  CHECK(range(lsn_of(20), {}) == expected(20, 20));
  CHECK(range(lsn_of(21), {}) == source_line(end_of(20)));
  CHECK(range({}, change::Lsn{1}) == source_line());
}

TEST_CASE("get refuses a start that is pruned, and gives what is left to who names none") {
  Spool s;
  s.settings.spool.max_bytes = 64 << 10;
  for (uint64_t n = 1; n <= 20; n += 2) put(s, stream(n, n + 1, 2, 1000));
  fs::remove(s.segments()[0].path);
  CHECK(has(error_of(base::Exit::data, [&] { got(s, {.from = lsn_of(1)}); }), "begins after"));
  CHECK(has(got(s), "\"20000\"") == false);
  CHECK(has(got(s), "\"id\":20000"));
}

TEST_CASE("get ends quietly when its reader has seen enough") {
  const Spool s;
  put(s, stream(1, 2000, 2, 500));
  std::signal(SIGPIPE, SIG_IGN);  // as cli does
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  ::close(ends[0]);
  CHECK_NOTHROW(spool::get(s.directory(), {}, ends[1]));
  ::close(ends[1]);
}

TEST_CASE("get --follow goes on with the writer, and ends after --to") {
  const Spool s;
  const fs::path file = s.folder.path() / "out";
  const base::Fd fd = base::open_file(file, O_WRONLY | O_CREAT | O_TRUNC);
  std::thread reader(
      [&] { spool::get(s.directory(), {.from = {}, .to = lsn_of(30), .follow = true, .sync_interval = 5}, fd.get()); });
  {
    LivePut live(s.settings);
    live.write(source_line() + relation_line());
    for (uint64_t n = 1; n <= 29; ++n) {
      live.write(transaction(n));
      if (n % 10 == 0) CHECK(eventually([&] { return has(content(file), commit_line(n, 2)); }));
    }
    live.write(keepalive_line(lsn_of(31)));
    CHECK(live.finish() == "");
  }
  reader.join();
  const Spool other;
  CHECK(put(other, content(file)).transactions == 29);
}
