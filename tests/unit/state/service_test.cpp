// What says that a service runs, and by which configuration: as long as it lives, and no longer.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "state/service.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-service.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
};

config::Settings settings_in(const fs::path& state, uint64_t fingerprint) {
  config::Settings settings;
  settings.state_directory = state;
  settings.file = "/etc/a name with blanks.yaml";
  settings.fingerprint = fingerprint;
  return settings;
}

}  // namespace

TEST_CASE("a service is there while it lives, with the configuration that it has read") {
  const Folder folder;
  CHECK(state::running_services(folder.path).empty());
  std::optional<state::Service> capture;
  capture.emplace(settings_in(folder.path, 7), "capture");
  const state::Service apply(settings_in(folder.path, UINT64_MAX), "apply.node-1.x");
  std::vector<state::RunningService> running = state::running_services(folder.path);
  REQUIRE(running.size() == 2);
  CHECK(running[0].name == "apply.node-1.x");
  CHECK(running[0].fingerprint == UINT64_MAX);
  CHECK(running[1].name == "capture");
  CHECK(running[1].fingerprint == 7);
  CHECK(running[1].file == "/etc/a name with blanks.yaml");
  capture.reset();
  running = state::running_services(folder.path);
  REQUIRE(running.size() == 1);
  CHECK(running[0].name == "apply.node-1.x");
  // A password may have gone into it.
  const fs::perms mode = fs::status(folder.path / "services" / "capture.lock").permissions();
  CHECK((mode & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
}

TEST_CASE("one beside another of its name leaves that one's note, and one that cannot leave any goes on") {
  const Folder folder;
  const state::Service first(settings_in(folder.path, 1), "capture");
  { const state::Service second(settings_in(folder.path, 2), "capture"); }
  REQUIRE(state::running_services(folder.path).size() == 1);
  CHECK(state::running_services(folder.path)[0].fingerprint == 1);
  CHECK_NOTHROW(state::Service(settings_in("/proc/no", 1), "capture"));
}

TEST_CASE("what is no note of ours is no service") {
  const Folder folder;
  const base::FileLock other((fs::create_directories(folder.path / "services"), folder.path / "services" / "x.lock"),
                             "y");
  std::ofstream(folder.path / "services" / "capture.lock") << "pid 1 capture 0000000000000001 /etc/x\n";
  CHECK(state::running_services(folder.path).empty());
}
