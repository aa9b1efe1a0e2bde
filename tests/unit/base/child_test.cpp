// A program run as a filter: what it is given and prints, and every way in which it can end.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <string>

#include "base/child.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

namespace {

using How = base::ChildEnd::How;

struct Run {
  base::ChildEnd end;
  std::string out;
  std::string err;
};

Run run(const std::string& script, const std::string& input, double patience = 20, int cancel_fd = -1) {
  std::signal(SIGPIPE, SIG_IGN);
  Run run;
  run.end = base::run_child(
      {"sh", "-c", script}, input, patience, cancel_fd,
      {[&](std::string_view bytes) { run.out += bytes; }, [&](std::string_view bytes) { run.err += bytes; }});
  return run;
}

}  // namespace

TEST_CASE("a child gets its input and its output is read, however much it is") {
  std::string input;
  for (int i = 0; i < 300000; ++i) input += std::to_string(i) + '\n';
  const Run whole = run("cat; echo done >&2", input);
  CHECK(whole.end.how == How::exited);
  CHECK(whole.end.code == 0);
  CHECK(whole.end.unread == 0);
  CHECK(whole.out == input);
  CHECK(whole.err == "done\n");
  CHECK(run("wc -l", "").out == "0\n");
}

TEST_CASE("a child's end tells its code, its signal, and what it did not read") {
  CHECK(run("cat; exit 7", "x\n").end.code == 7);
  const Run killed = run("kill -9 $$", "");
  CHECK(killed.end.how == How::signalled);
  CHECK(killed.end.code == 9);
  CHECK(run("exit 0", "four").end.unread == 4);
  const Run large = run("exit 0", std::string(1 << 20, 'x'));
  CHECK(large.end.how == How::exited);
  CHECK(large.end.unread == 1 << 20);
  CHECK(run("head -c 1 >/dev/null", std::string(1 << 20, 'x')).end.unread > 0);
  // it took all but the last byte into its buffer, and never asked for more
  CHECK(run("head -n 1 >/dev/null", "one\ntwo\nthree\n").end.unread > 0);
  CHECK(run("dd bs=65536 count=1 2>/dev/null", "one\ntwo\n").end.unread == 1);
  CHECK(run("dd bs=65536 count=2 2>/dev/null", "one\ntwo\n").out == "one\ntwo\n");
  // SIGPIPE is not ignored there, as we ignore it
  CHECK(run("yes | head -n 1; cat", "x").out == "y\nx");
}

TEST_CASE("a child that hangs is killed with all that it started") {
  const double start = base::monotonic_seconds();
  CHECK(run("sleep 100 & wait", "x", 0.3).end.how == How::hung);
  CHECK(run("sleep 100", std::string(1 << 20, 'x'), 0.3).end.how == How::hung);
  CHECK(run("exec >&-; cat >/dev/null; sleep 100", "x", 0.3).end.how == How::hung);
  CHECK(run("sleep 100 &", "", 0.3).end.how == How::hung);  // what holds its output open is part of it
  CHECK(base::monotonic_seconds() - start < 20);
  // as long as it takes its input it is not hanging
  CHECK(run("for i in 1 2 3 4 5 6; do head -c 65536 >/dev/null; sleep 0.1; done; cat >/dev/null",
            std::string(600000, 'x'), 0.5)
            .end.how == How::exited);
}

TEST_CASE("a child is given up when it is asked for, and when its reader throws") {
  const base::Fd cancel(::eventfd(1, EFD_CLOEXEC));
  CHECK(run("sleep 100", "x", 20, cancel.get()).end.how == How::cancelled);
  const double start = base::monotonic_seconds();
  CHECK_THROWS_AS(base::run_child({"sh", "-c", "echo x; sleep 100"}, "", 20, -1,
                                  {[](std::string_view) { throw base::Error(base::Exit::data, "enough"); },
                                   [](std::string_view) {}}),
                  base::Error);
  CHECK(base::monotonic_seconds() - start < 10);
}

TEST_CASE("a child that is not there is a fault of the configuration") {
  for (const char* const name : {"/no/such/program", "no-such-program", "/etc/passwd", "/tmp"}) {
    INFO(name);
    try {
      base::run_child({name}, "", 1, -1, {[](std::string_view) {}, [](std::string_view) {}});
      FAIL("it ran");
    } catch (const base::Error& failure) {
      CHECK(failure.kind() == base::Exit::config);
      CHECK(std::string(failure.what()).find(std::string(name) + " cannot be run: ") == 0);
    }
  }
}
