// Both sides of a hold, in one process: what is said, and that whoever leaves lets the other go on.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "apply/hold.hpp"
#include "apply/lease.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "spool/cursor.hpp"

using change::Lsn;

namespace {

struct Place {
  config::Settings settings;
  std::filesystem::path root;

  explicit Place(const std::string& node = "backup") {
    char name[] = "/tmp/pgtandem_hold.XXXXXX";
    root = ::mkdtemp(name);
    settings.local_node = node;
    settings.nodes[node] = {.name = node, .role = config::Role::secondary, .database_url = {}, .host = {}};
    settings.spool.directory = root / "spool";
    // Longer than a socket's address may be.
    settings.state_directory = root / std::string(60, 'a') / std::string(60, 'b');
    settings.synchronization.sync_timeout = 5;
    std::filesystem::create_directories(settings.spool.directory / "cursors");
    std::filesystem::create_directories(settings.state_directory);
  }
  ~Place() { std::filesystem::remove_all(root); }
  const config::Node& node() const { return settings.secondary(); }
};

// Plays the run: waits to be called, and serves one hold.
void serve(apply::Hold& hold, std::atomic<int>& calls, const std::function<void()>& held) {
  const double deadline = base::monotonic_seconds() + 5;
  while (calls == 0 && base::monotonic_seconds() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  held();
  hold.end();
}

}  // namespace

TEST_CASE("where no apply runs the asker is the applier") {
  Place place;
  const apply::Lease lease(place.settings, {}, base::monotonic_seconds() + 1);
  CHECK(lease.alone());
  CHECK_THROWS_AS(spool::CursorFile(place.settings.spool.directory, "backup"), base::Error);
}

TEST_CASE("an apply that holds the lock and cannot be asked is waited for, but not for ever") {
  Place place;
  const spool::CursorFile applier(place.settings.spool.directory, "backup");
  CHECK_THROWS_AS(apply::Lease(place.settings, {}, base::monotonic_seconds() + 0.1), base::Transient);
}

TEST_CASE("a hold goes to the LSN that it was asked for and ends with its lease") {
  for (const std::string node :
       {"backup", "a node/with a name that is much longer than what fits into an address, and odd"}) {
    Place place(node);
    const spool::CursorFile applier(place.settings.spool.directory, node);
    std::atomic<int> calls{0};
    apply::Hold hold(place.settings, place.node(), [&] { ++calls; });
    std::atomic<bool> over{false};
    std::optional<Lsn> until;
    std::thread run([&] {
      serve(hold, calls, [&] {
        until = hold.begin({100});
        if (until) hold.arrived({190});
      });
      over = true;
    });
    {
      apply::Lease lease(place.settings, {}, base::monotonic_seconds() + 5);
      CHECK_FALSE(lease.alone());
      lease.go_to({200});
      CHECK(lease.arrive(base::monotonic_seconds() + 5) == Lsn{190});
      lease.keep();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      CHECK_FALSE(over);
    }
    run.join();
    CHECK(until == Lsn{200});
    CHECK_FALSE(hold.called());
  }
}

TEST_CASE("who leaves before he says how far lets the applier go on") {
  Place place;
  const spool::CursorFile applier(place.settings.spool.directory, "backup");
  std::atomic<int> calls{0};
  apply::Hold hold(place.settings, place.node(), [&] { ++calls; });
  std::optional<Lsn> until = Lsn{1};
  std::thread run([&] { serve(hold, calls, [&] { until = hold.begin({100}); }); });
  { apply::Lease lease(place.settings, {}, base::monotonic_seconds() + 5); }
  run.join();
  CHECK_FALSE(until);
}

TEST_CASE("an applier that ends, or goes on, is told to the asker") {
  Place place;
  const spool::CursorFile applier(place.settings.spool.directory, "backup");
  std::atomic<int> calls{0};
  auto hold = std::make_unique<apply::Hold>(place.settings, place.node(), [&] { ++calls; });
  std::thread run([&] { serve(*hold, calls, [&] { hold->begin({100}); }); });
  apply::Lease lease(place.settings, {}, base::monotonic_seconds() + 5);
  lease.go_to({200});
  run.join();
  CHECK_THROWS_AS(lease.arrive(base::monotonic_seconds() + 5), base::Transient);
  CHECK_THROWS_AS(lease.keep(), base::Transient);
  hold.reset();
  CHECK_FALSE(std::filesystem::exists(place.settings.state_directory / "apply.backup.sock"));
}

TEST_CASE("what is none of the words ends the hold") {
  Place place;
  std::atomic<int> calls{0};
  apply::Hold hold(place.settings, place.node(), [&] { ++calls; });
  const apply::HoldAddress address(place.settings, "backup");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::memcpy(at.sun_path, address.reachable.c_str(), address.reachable.size() + 1);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  const std::string words = "{\"hold\":true}\n{\"until\":7}\n";
  REQUIRE(::send(fd, words.data(), words.size(), 0) == static_cast<ssize_t>(words.size()));
  std::optional<Lsn> until = Lsn{1};
  serve(hold, calls, [&] { until = hold.begin({100}); });
  CHECK_FALSE(until);
  ::close(fd);
}
