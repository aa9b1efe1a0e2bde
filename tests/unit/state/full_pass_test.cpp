// The full pass's record: how each end of one is told, and who is at work.
#include <sys/file.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "state/full_pass.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-pass.XXXXXX";
    path = ::mkdtemp(name.data());
    fs::create_directories(path / "runs");
  }
  ~Folder() { fs::remove_all(path); }
};

constexpr int64_t now = 1'790'000'000'000'000;
const std::string ended = R"("ended":"2026-11-23T04:05:06.123456Z")";

std::string record(const std::string& more, const std::string& run = "full-20261123T040506Z-1") {
  return R"({"pass":"full","run":")" + run + R"(","node":"b","started":"2026-11-23T04:00:00.000000Z",)" +
         R"("stopped":false,"tables":{"public.a":{"proven":true,"rows":7},"public.b":{"proven":false,"why":"x","rows":null}},)" +
         more + "}";
}

state::PassState state_of(const std::string& more, bool alive = false) {
  return state::parse_pass(record(more), "f", alive, now).state;
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

}  // namespace

TEST_CASE("a record tells how a pass ended") {
  using state::PassState;
  CHECK(state_of(ended + R"(,"exit_code":0)") == PassState::proven);
  CHECK(state_of(ended + R"(,"exit_code":1)") == PassState::different);
  CHECK(state_of(ended + R"(,"exit_code":69)") == PassState::failed);
  CHECK(state_of(ended + R"(,"exit_code":null)") == PassState::stopped);
  CHECK(state_of(R"("ended":null)", true) == PassState::running);
  CHECK(state_of(R"("ended":null)") == PassState::broken_off);
  CHECK(state_of(ended + R"(,"exit_code":0)", true) == PassState::proven);
}

TEST_CASE("a pass that was asked for is starting for a minute, and was broken off after that") {
  const auto started = [](int64_t at) {
    return R"({"run":"full-1","node":"b","starting":true,"started":")" + base::iso_time(at) +
           R"(","stopped":false,"tables":{}})";
  };
  CHECK(state::parse_pass(started(now - 1'000'000), "f", false, now).state == state::PassState::starting);
  CHECK(state::parse_pass(started(now - 61'000'000), "f", false, now).state == state::PassState::broken_off);
}

TEST_CASE("a record of an older pgtandem, without an id, is read; what is none is an error that names the file") {
  const state::FullPass old = state::parse_pass(
      R"({"pass":"full","node":"b","started":"2026-11-23T04:00:00Z","since":null,"ended":null,"lsn":null,"exit_code":null,
          "failed":null,"stopped":false,"last_full_sync":1790000000,"tables":{}})",
      "f", false, now);
  CHECK(old.run.empty());
  CHECK(old.last_full_sync == 1790000000);
  for (const char* garbage : {"", "{}", "[1]", "null", R"({"node":7})", R"({"tables":[]})"}) {
    try {
      state::parse_pass(garbage, "the file", false, now);
      FAIL("took for a record: " << garbage);
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::Exit::data);
      CHECK(std::string(error.what()).find("the file") == 0);
    }
  }
}

TEST_CASE("what is no id is no file") {
  for (const char* id :
       {"", "full-", "incremental", "full-../full-sync", "full-a/b", "full-a.json", "../full-a", "full-ä"})
    CHECK_FALSE(state::is_run_id(id));
  CHECK(state::is_run_id("full-20261123T040506Z-4711-1"));
  const Folder folder;
  CHECK_FALSE(state::run_of(folder.path, "full-20261123T040506Z-1"));
  CHECK_FALSE(state::run_of(folder.path, "../full-sync"));
  CHECK_FALSE(state::last_pass(folder.path, "backup_node"));
  CHECK_FALSE(state::running_pass(folder.path));
}

TEST_CASE("who holds the lock is at work, and nobody else") {
  const Folder folder;
  const std::string run = "full-20261123T040506Z-1";
  write(folder.path / "runs" / (run + ".json"), record(R"("ended":null)"));
  CHECK(state::run_of(folder.path, run)->state == state::PassState::broken_off);
  const base::Fd lock = base::open_file(folder.path / "full.lock", O_RDWR | O_CREAT);
  REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
  write(folder.path / "full.lock", "pid 1 sync-full since 2026-11-23T04:05:06Z run " + run + "\n");
  CHECK(state::run_of(folder.path, run)->state == state::PassState::running);
  CHECK(state::running_pass(folder.path)->run == run);
  write(folder.path / "full.lock", "pid 2 sync-full since 2026-11-23T04:05:06Z run full-2\n");
  CHECK(state::run_of(folder.path, run)->state == state::PassState::broken_off);
  CHECK(state::running_pass(folder.path)->state == state::PassState::starting);
  CHECK(state::running_pass(folder.path)->run == "full-2");
}

TEST_CASE("a pass as JSON and in words") {
  const state::FullPass pass = state::parse_pass(
      record(ended + R"(,"exit_code":69,"failed":"verify","message":"verify failed \"so\"","by":"api")"), "f", false,
      now);
  const std::string json = run_json(pass);
  for (const char* part :
       {R"("run":"full-20261123T040506Z-1")", R"("state":"failed")", R"("tables_proven":1)", R"("tables_total":2)",
        R"("exit_code":69)", R"("by":"api")", R"("lsn":null)", R"("public.b":{"proven":false,"why":"x")"})
    CHECK(json.find(part) != std::string::npos);
  CHECK(json.find('\n') == std::string::npos);
  CHECK(
      run_text(pass) ==
      "full pass full-20261123T040506Z-1: failed at 2026-11-23T04:05:06Z, 1 of 2 tables proven; verify failed \"so\"");
}

TEST_CASE("a pass over several standbys has what became of each, and counts all their tables") {
  const std::string a = record(ended + R"(,"exit_code":0,"node":"a")");
  const std::string b = record(ended + R"(,"exit_code":69,"node":"b")");
  const state::FullPass pass = state::parse_pass(
      R"({"run":"full-1","node":null,"started":"2026-11-23T04:05:00Z","ended":"2026-11-23T04:05:09Z","exit_code":69,)"
      R"("stopped":false,"tables":{},"nodes":{"a":)" +
          a + R"(,"b":)" + b + "}}",
      "f", false, now);
  REQUIRE(pass.parts.size() == 2);
  CHECK(pass.state == state::PassState::failed);
  CHECK(pass.parts[0].state == state::PassState::proven);
  CHECK(pass.parts[1].state == state::PassState::failed);
  CHECK(run_text(pass).find("2 of 4 tables proven") != std::string::npos);
  const std::string json = run_json(pass);
  CHECK(json.find(R"("tables_total":4)") != std::string::npos);
  CHECK(json.find(R"("nodes":{"a":{"run")") != std::string::npos);
}
