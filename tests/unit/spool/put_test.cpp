#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "base/stop.hpp"
#include "faults.hpp"
#include "sample.hpp"

using namespace sample;

TEST_CASE("what is put is read again, byte for byte") {
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  const spool::PutResult result = put(s, stream(1, 50));
  CHECK(result.transactions == 50);
  CHECK(result.operations == 100);
  CHECK(result.repeated == 0);
  const Content all = read(s.directory());
  CHECK(all.error == "");
  CHECK(all.transactions == transactions(1, 50));
  const spool::Mark mark = s.mark();
  CHECK(mark.lsn == end_of(50));
  CHECK(mark.commit_lsn == lsn_of(50));
  CHECK(mark.transactions == 50);
  CHECK(mark.operations == 100);
  CHECK(mark.time == time_of(50));
  CHECK(s.segments().size() == 1);
  CHECK(s.segments()[0].compressed == compress);
  CHECK(s.segments()[0].bytes == mark.segment_bytes);
  struct stat file {};
  REQUIRE(::stat(s.segments()[0].path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  CHECK(spool::check(s.settings).findings.empty());
}

TEST_CASE("puts that follow each other go on in the same segment, a change of compression in a new one") {
  Spool s;
  put(s, stream(1, 3));
  put(s, stream(4, 6));
  CHECK(s.segments().size() == 1);
  s.settings.synchronization.enable_compression = true;
  put(s, stream(7, 8));
  put(s, stream(9, 9));
  s.settings.synchronization.enable_compression = false;
  put(s, stream(10, 12));
  CHECK(s.segments().size() == 3);
  CHECK(read(s.directory()).transactions == transactions(1, 12));
  CHECK(spool::check(s.settings).findings.empty());
}

TEST_CASE("a transaction that comes again is left out whole, also when shapes came with it") {
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  const Log log;
  put(s, stream(1, 5));
  // As after a crash of the primary: the slot goes back, and tells the shape only before the first row.
  std::string again = source_line(end_of(2));
  again += begin_line(3) + relation_line() + row_line(3, 0) + row_line(3, 1) + commit_line(3, 2);
  for (uint64_t n = 4; n <= 7; ++n) again += transaction(n);
  const spool::PutResult result = put(s, again);
  CHECK(result.repeated == 3);
  CHECK(result.transactions == 2);
  CHECK(log.count(base::Level::info, "3 transactions came again") == 1);
  CHECK(read(s.directory()).transactions == transactions(1, 7));
  CHECK(put(s, again).repeated == 5);
  CHECK(spool::check(s.settings).findings.empty());
}

TEST_CASE("every segment tells the shape of its rows, after a restart too") {
  Spool s;
  s.settings.spool.max_bytes = 200 * 1024;  // segments of 25 KiB
  put(s, stream(1, 40, 2, 500));
  put(s, stream(41, 80, 2, 500));
  const auto segments = s.segments();
  REQUIRE(segments.size() > 2);
  for (uint64_t n : {1U, 30U, 41U, 60U, 80U}) {
    const Content rest = read(s.directory(), lsn_of(n - 1), end_of(n - 1));
    CHECK(rest.error == "");
    CHECK(rest.transactions == transactions(n, 80, 2, 500));
  }
}

TEST_CASE("a source line in the middle voids the transaction that is open") {
  const bool compress = GENERATE(false, true);
  const size_t row_bytes = GENERATE(size_t{0}, size_t{100000});  // held back, or partly in the file already
  Spool s(compress);
  const uint64_t rows = row_bytes == 0 ? 2 : 30;
  std::string bytes = stream(1, 2) + begin_line(3);
  for (uint64_t row = 0; row < rows; ++row) bytes += row_line(3, row, row_bytes);
  bytes += source_line(end_of(2)) + relation_line() + transaction(3) + transaction(4);
  CHECK(put(s, bytes).transactions == 4);
  CHECK(read(s.directory()).transactions == transactions(1, 4));
  CHECK(spool::check(s.settings).findings.empty());
  // The same where the open one had begun a segment of its own.
  const Spool fresh(compress);
  bytes = source_line() + relation_line() + begin_line(2);
  for (uint64_t row = 0; row < rows; ++row) bytes += row_line(2, row, row_bytes);
  CHECK(put(fresh, bytes + source_line() + transaction(1) + transaction(2)).transactions == 2);
  CHECK(read(fresh.directory()).transactions == transactions(1, 2));
  CHECK(fresh.segments().size() == 1);
}

TEST_CASE("an input that ends inside a transaction leaves only whole ones") {
  const faults::NoSync fast;
  const bool compress = GENERATE(false, true);
  const std::string last = transaction(3);
  for (size_t cut = 0; cut < last.size(); cut += 7) {
    const Spool s(compress);
    put(s, stream(1, 2) + last.substr(0, cut));
    CHECK(read(s.directory()).transactions == transactions(1, 2));
    CHECK(s.segments()[0].bytes == s.mark().segment_bytes);
    CHECK(put(s, stream(3, 4)).transactions == 2);
    CHECK(read(s.directory()).transactions == transactions(1, 4));
  }
}

TEST_CASE("a malformed line is refused with its place; what was whole before it stays") {
  const Spool s;
  const std::string bad = stream(1, 2) + begin_line(3) + row_line(3, 0) + "{\"type\":\"insert\",\"tab\n";
  const std::string error = error_of(base::Exit::data, [&] { put(s, bad); });
  CHECK(has(error, "stdin:13:"));
  CHECK(read(s.directory()).transactions == transactions(1, 2));
  CHECK(s.mark().transactions == 2);
  CHECK(s.segments()[0].bytes == s.mark().segment_bytes);
  CHECK(put(s, stream(3, 3)).transactions == 1);
}

TEST_CASE("a stream that does not fit the spool is refused with what to do") {
  const Spool s;
  const auto refused = [&s](const std::string& bytes) { return error_of(base::Exit::data, [&] { put(s, bytes); }); };
  CHECK(has(refused(relation_line()), "stdin:1:1: a stream begins with its source line"));
  CHECK(has(refused(source_line({source.created.value + 1})), "is missing"));
  change::Source other = source;
  other.slot = "other";
  std::string line;
  change::append_source(line, other, source.created);
  CHECK(has(refused(line), "sync-full --init"));
  put(s, stream(1, 3));
  CHECK(has(refused(source_line(end_of(4)) + relation_line() + transaction(5)), "is missing"));
  CHECK(has(refused(source_line(end_of(3)) + keepalive_line(lsn_of(5)) + source_line(lsn_of(6))), "stdin:3:1:"));
  CHECK(s.mark().transactions == 3);
  const Folder folder;
  const config::Settings nowhere = settings_for(folder.path() / "none");
  CHECK(has(error_of(base::Exit::data, [&] { spool::put(STDIN_FILENO, nowhere); }), "capture init"));
}

TEST_CASE("a keepalive moves the mark, for good when the input ends") {
  const Spool s;
  put(s, stream(1, 2) + keepalive_line(lsn_of(9)));
  CHECK(s.mark().lsn == lsn_of(9));
  CHECK(s.mark().commit_lsn == lsn_of(2));
  CHECK(s.mark().end_lsn == end_of(2));
  // A lower one, and the end of a transaction below it, do not move it back.
  put(s, source_line(end_of(2)) + keepalive_line(lsn_of(5)) + relation_line() + transaction(3));
  CHECK(s.mark().lsn == lsn_of(9));
  put(s, source_line(lsn_of(9)) + relation_line() + transaction(10));
  CHECK(s.mark().lsn == end_of(10));
  CHECK(read(s.directory()).transactions.size() == 4);
}

TEST_CASE("a quiet stream is durable at once, without its end") {
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  LivePut live(s.settings);
  live.write(source_line() + relation_line());
  for (uint64_t n = 1; n <= 20; ++n) {
    live.write(transaction(n));
    REQUIRE(eventually([&] { return s.mark().lsn == end_of(n); }));
  }
  live.write(begin_line(21) + row_line(21, 0));
  live.write(row_line(21, 1) + commit_line(21, 2) + keepalive_line(lsn_of(30)));
  CHECK(eventually([&] { return s.mark().lsn == lsn_of(30); }));
  CHECK(live.finish() == "");
  CHECK(live.result().transactions == 21);
  CHECK(read(s.directory()).transactions == transactions(1, 21));
}

TEST_CASE("a second put is refused while the first one runs") {
  const Spool s;
  const base::FileLock lock(spool::lock_path(s.directory()), "queue put");
  const std::string error = error_of(base::Exit::try_later, [&] { put(s, stream(1, 1)); });
  CHECK(has(error, "queue put"));
  CHECK(has(error, std::to_string(::getpid())));
  CHECK(s.mark().transactions == 0);
}

TEST_CASE("the spool's own lines can be put again: a copy of its segments is a stream") {
  const Spool from;
  put(from, stream(1, 5));
  const Spool to;
  CHECK(put(to, content(from.segments()[0].path)).transactions == 5);
  CHECK(content(to.segments()[0].path) == content(from.segments()[0].path));
  // Other spacing, as a filter may leave it, is kept; the checksum still comes last.
  const Spool spaced;
  std::string line = commit_line(1, 1);
  line.insert(line.size() - 2, " ");
  line.insert(line.size() - 1, " \t");
  put(spaced, source_line() + relation_line() + begin_line(1) + " " + row_line(1, 0) + line);
  CHECK(read(spaced.directory()).transactions.size() == 1);
  CHECK(spool::check(spaced.settings).findings.empty());
}

TEST_CASE("a request to stop ends put with what is whole, and with success") {
  const Spool s;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    base::install_stop_signals();
    ::close(ends[1]);
    try {
      spool::put(ends[0], s.settings);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(ends[0]);
  const std::string bytes = stream(1, 3) + begin_line(4) + row_line(4, 0);
  base::write_all(ends[1], bytes, "the pipe");
  CHECK(eventually([&] { return s.mark().transactions == 3; }));
  ::kill(child, SIGTERM);
  int status = -1;
  ::waitpid(child, &status, 0);
  ::close(ends[1]);
  CHECK(status == 0);
  CHECK(s.segments()[0].bytes == s.mark().segment_bytes);
  CHECK(read(s.directory()).transactions == transactions(1, 3));
}

TEST_CASE("a transaction of a million rows takes no more memory than a small one") {
  Spool s(true);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[1]);
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak counts from now
    const auto status = [](const std::string& name) {
      std::ifstream in("/proc/self/status");
      for (std::string line; std::getline(in, line);)
        if (line.rfind(name, 0) == 0) return std::stol(line.substr(name.size() + 1));
      return 0L;
    };
    const long before = status("VmRSS");
    try {
      spool::put(ends[0], s.settings);
    } catch (...) {
      ::_exit(100);
    }
    ::_exit(static_cast<int>((status("VmHWM") - before) / 1024));  // MiB
  }
  ::close(ends[0]);
  base::write_all(ends[1], source_line() + relation_line() + begin_line(1), "the pipe");
  std::string rows;
  for (uint64_t row = 0; row < 1000; ++row) rows += row_line(1, row);
  for (int i = 0; i < 1000; ++i) base::write_all(ends[1], rows, "the pipe");
  base::write_all(ends[1], commit_line(1, 1000000), "the pipe");
  ::close(ends[1]);
  int status = -1;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) < 40);
  CHECK(s.mark().operations == 1000000);
}
