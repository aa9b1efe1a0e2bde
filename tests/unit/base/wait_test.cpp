#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "base/watch.hpp"

namespace {

// Requests to stop last as long as the process, so what makes them runs in one of its own. Its result is the exit code.
template <class Call>
int in_child(Call call) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(call());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("retries are counted from the first failure") {
  base::Backoff two(2, 0.001);
  CHECK(two.wait("no answer"));
  CHECK(two.wait("no answer"));
  CHECK_FALSE(two.wait("no answer"));
  two.succeeded();
  CHECK(two.wait("no answer"));

  base::Backoff none(0, 0.001);
  CHECK_FALSE(none.wait("no answer"));
  base::Backoff endless(-1, 0);
  for (int i = 0; i < 100; ++i) CHECK(endless.wait("no answer"));
}

TEST_CASE("delays double, and each is announced") {
  std::vector<std::string> lines;
  base::set_log_listener([&lines](base::Level, std::string_view line) { lines.emplace_back(line); });
  base::Backoff backoff(3, 0.001);
  while (backoff.wait("no answer")) {
  }
  backoff.succeeded();
  backoff.wait("gone");
  base::set_log_listener({});
  CHECK(lines == std::vector<std::string>{"no answer; trying again in 0.001 s", "no answer; trying again in 0.002 s",
                                          "no answer; trying again in 0.004 s", "gone; trying again in 0.001 s"});
}

TEST_CASE("a wait ends with the request to stop") {
  CHECK(in_child([] {
          base::install_stop_signals();
          std::thread([] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            ::kill(::getpid(), SIGTERM);
          }).detach();
          const double before = base::monotonic_seconds();
          if (!base::sleep_or_stop(30) || !base::stop_requested()) return 1;
          pollfd readable{base::stop_fd(), POLLIN, 0};
          if (::poll(&readable, 1, 0) != 1) return 2;
          base::Backoff backoff(-1, 100);
          if (backoff.wait("no answer")) return 3;
          return base::monotonic_seconds() - before < 10 ? 0 : 4;
        }) == 0);
  CHECK(in_child([] {
          base::install_stop_signals();
          if (base::sleep_or_stop(0.01)) return 1;
          return base::stop_requested() ? 2 : 0;
        }) == 0);
}

TEST_CASE("a signal leaves errno as it was") {
  CHECK(in_child([] {
          base::install_stop_signals();
          // Past this many bytes the pipe is full, and the handler's write fails.
          for (int i = 0; i < 70000; ++i) base::request_stop();
          errno = EINTR;
          ::raise(SIGINT);
          return errno == EINTR ? 0 : 1;
        }) == 0);
}

TEST_CASE("a closed pipe is an error, not a death") {
  CHECK(in_child([] {
          base::install_stop_signals();
          int ends[2];
          if (::pipe(ends) != 0) return 1;
          ::close(ends[0]);
          return ::write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
        }) == 0);
}

TEST_CASE("a watch wakes with a change in the directory") {
  std::string form = (std::filesystem::temp_directory_path() / "pgtandem-test-XXXXXX").string();
  REQUIRE(::mkdtemp(form.data()) != nullptr);
  const std::filesystem::path path = form;
  base::DirectoryWatch watch(path);
  if (watch.fd() >= 0) {
    std::thread writer([&path] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      std::ofstream(path / "mark") << "x";
    });
    const double before = base::monotonic_seconds();
    watch.wait(30);
    CHECK(base::monotonic_seconds() - before < 10);
    writer.join();
  }
  std::filesystem::remove_all(path);

  base::DirectoryWatch nowhere("/nonexistent");
  CHECK(nowhere.fd() == -1);
  nowhere.wait(0.01);  // degrades to its timeout
}

TEST_CASE("log lines go to the listener") {
  std::vector<std::pair<base::Level, std::string>> lines;
  base::log(base::Level::error, "nobody listens");
  base::set_log_listener([&lines](base::Level level, std::string_view line) { lines.emplace_back(level, line); });
  base::log(base::Level::warn, "spool is full");
  base::set_log_listener({});
  base::log(base::Level::info, "nobody listens");
  CHECK(lines == std::vector<std::pair<base::Level, std::string>>{{base::Level::warn, "spool is full"}});
}
