// The switch: the configuration counts until somebody turns it, then it does, whoever asks and however often.
#include <sys/file.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "state/gate.hpp"
#include "state/switches.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-switch.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
};

struct Heard {
  std::vector<std::string> lines;
  Heard() {
    base::set_log_listener([this](base::Level, std::string_view line) { lines.emplace_back(line); });
  }
  ~Heard() { base::set_log_listener({}); }
};

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace

TEST_CASE("without a file the configuration says whether sync is enabled") {
  const Folder folder;
  CHECK(state::auto_sync(folder.path / "none", true).enabled);
  const state::AutoSync off = state::auto_sync(folder.path / "none", false);
  CHECK_FALSE(off.enabled);
  CHECK(off.by.empty());
  CHECK(text_of(off) == "sync is disabled by the configuration (auto_sync_enabled)");
  CHECK_FALSE(fs::exists(folder.path / "none"));
}

TEST_CASE("once turned the switch counts, whatever the configuration says, and tells who, when and why") {
  const Folder folder;
  const fs::path state = folder.path / "state";
  const state::Turned turned = state::turn_auto_sync(state, true, false, "alice@db1", "moving the disk");
  CHECK(turned.changed);
  for (const bool configured : {true, false}) {
    const state::AutoSync now = state::auto_sync(state, configured);
    CHECK_FALSE(now.enabled);
    CHECK(now.by == "alice@db1");
    CHECK(now.reason == "moving the disk");
    CHECK(now.since == turned.now.since);
    CHECK(text_of(now) == "sync is disabled by alice@db1 since " + now.since.substr(0, 19) + "Z (moving the disk)");
  }
  CHECK(state::turn_auto_sync(state, false, true, "api", "").changed);
  CHECK(state::auto_sync(state, false).enabled);
}

TEST_CASE("turning it to where it stands changes nothing: who did it first is kept") {
  const Folder folder;
  const state::AutoSync first = state::turn_auto_sync(folder.path, true, false, "alice@db1", "").now;
  const state::Turned again = state::turn_auto_sync(folder.path, true, false, "bob@db1", "me too");
  CHECK_FALSE(again.changed);
  CHECK(again.now.by == "alice@db1");
  CHECK(again.now.since == first.since);
}

TEST_CASE("what the configuration says may be said by a person too: from then on it is the switch that counts") {
  const Folder folder;
  CHECK(state::turn_auto_sync(folder.path, false, false, "alice@db1", "").changed);
  CHECK_FALSE(state::auto_sync(folder.path, true).enabled);
}

TEST_CASE("a damaged switch is an error that names the file and the way out, and turning it is that way") {
  const Folder folder;
  const fs::path file = folder.path / "switches.json";
  for (const char* garbage : {"", "{", "[]", "null", "{\"version\":1}", "\xff\xfe",
                              R"({"version":1,"auto_sync":{"auto_sync_enabled":"no","by":1,"since":"","reason":""}})",
                              R"({"version":7,"auto_sync":{}})"}) {
    write(file, garbage);
    try {
      state::auto_sync(folder.path, true);
      FAIL("took for a switch: " << garbage);
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::Exit::data);
      CHECK(std::string(error.what()).find(file.string()) == 0);
      CHECK(std::string(error.what()).find("pgtandem status enable") != std::string::npos);
    }
  }
  CHECK(state::turn_auto_sync(folder.path, true, true, "alice@db1", "").changed);
  CHECK(state::auto_sync(folder.path, true).by == "alice@db1");
}

TEST_CASE("names and reasons may be anything") {
  const std::string name = "o'neil \"the\" \\ admin\n@h\xc3\xb6st";
  state::AutoSync now{false, name, "2026-11-23T04:05:06.123456Z", "tab\tand\x01"};
  const state::AutoSync back = state::parse_switches(state::switches_text(now), "f");
  CHECK(back.by == name);
  CHECK(back.reason == now.reason);
  now.reason = "latin1 \xe9";  // not UTF-8: the switch still turns
  CHECK_FALSE(state::parse_switches(state::switches_text(now), "f").enabled);
  CHECK(json_of(state::AutoSync{}) == R"({"auto_sync_enabled":true,"by":null,"since":null,"reason":null})");
}

TEST_CASE("a gate is closed while sync is disabled, but for as long as a forced pass lives") {
  const Folder folder;
  const Heard heard;
  state::turn_auto_sync(folder.path, true, false, "alice@db1", "");
  CHECK_FALSE(state::Gate(folder.path, true).open());
  CHECK_FALSE(state::forced_pass_runs(folder.path));
  {
    const base::Fd pass = base::open_file(folder.path / "forced.lock", O_RDWR | O_CREAT);
    CHECK_FALSE(state::forced_pass_runs(folder.path));
    REQUIRE(::flock(pass.get(), LOCK_EX) == 0);
    CHECK(state::Gate(folder.path, true).open());
  }
  CHECK_FALSE(state::Gate(folder.path, true).open());
  CHECK(state::is_switched_off(folder.path, true, "standby"));
  REQUIRE(heard.lines.size() == 1);
  CHECK(heard.lines[0].find("standby: sync is disabled by alice@db1 since 20") == 0);
  state::turn_auto_sync(folder.path, true, true, "alice@db1", "");
  CHECK(state::Gate(folder.path, false).open());
  CHECK_FALSE(state::is_switched_off(folder.path, false, "standby"));
}

TEST_CASE("a switch that is damaged while a forced pass runs is as it was read last once that has ended") {
  const Folder folder;
  const Heard heard;
  state::turn_auto_sync(folder.path, true, false, "alice@db1", "");
  base::Fd pass = base::open_file(folder.path / "forced.lock", O_RDWR | O_CREAT);
  REQUIRE(::flock(pass.get(), LOCK_EX) == 0);
  state::Gate gate(folder.path, true);
  CHECK(gate.open_as("capture"));
  write(folder.path / "switches.json", "garbage");
  ::usleep(600'000);
  CHECK(gate.open_as("capture"));
  pass.reset();
  ::usleep(600'000);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(gate.open_as("capture"));
  REQUIRE(heard.lines.size() == 2);
  CHECK(heard.lines[0].find("switches.json is damaged, and does not tell whether sync is enabled; turn it again") !=
        std::string::npos);
  CHECK(heard.lines[0].find("; waiting on, as it was before") != std::string::npos);
  CHECK(heard.lines[1].find("capture: sync is disabled by alice@db1") == 0);
  // A pass that begins meanwhile is served, too.
  pass = base::open_file(folder.path / "forced.lock", O_RDWR);
  REQUIRE(::flock(pass.get(), LOCK_EX) == 0);
  ::usleep(600'000);
  CHECK(gate.open_as("capture"));
}

TEST_CASE("a gate says once that it closed, and once that it opened; garbage leaves it as it was") {
  const Folder folder;
  const Heard heard;
  state::turn_auto_sync(folder.path, true, false, "alice@db1", "");
  state::Gate gate(folder.path, true);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(gate.open_as("capture"));
  REQUIRE(heard.lines.size() == 1);
  write(folder.path / "switches.json", "garbage");
  ::usleep(600'000);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(gate.open_as("capture"));
  REQUIRE(heard.lines.size() == 2);
  CHECK(heard.lines[1].find("waiting on") != std::string::npos);
  CHECK_THROWS_AS(state::Gate(folder.path, true), base::Error);
  state::turn_auto_sync(folder.path, true, true, "bob@db1", "");
  ::usleep(600'000);
  for (int i = 0; i < 3; ++i) CHECK(gate.open_as("capture"));
  REQUIRE(heard.lines.size() == 3);
  CHECK(heard.lines[2].find("capture: sync is enabled by bob@db1") == 0);
}
