// What capture and apply leave of themselves: counts go on across runs, rates are of the last minute.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "state/incremental.hpp"
#include "state/tool_record.hpp"

namespace {

namespace fs = std::filesystem;

constexpr int64_t second = 1'000'000;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-tool.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
};

state::ToolFacts worked(std::vector<state::ToolFacts::Sample> samples) {
  state::ToolFacts facts;
  facts.recent = std::move(samples);
  return facts;
}

}  // namespace

TEST_CASE("a rate is over the last minute: nothing is counted twice, and rest counts as rest") {
  const int64_t t = 1'795'838'706 * second;
  CHECK_FALSE(worked({}).rate(t));
  CHECK(*worked({{t - 30 * second, 0}, {t, 600}}).rate(t) == Approx(20));
  CHECK(*worked({{t - 600 * second, 0}, {t, 600}}).rate(t) == Approx(10));
  CHECK(*worked({{t - 600 * second, 0}, {t - 500 * second, 600}}).rate(t) == Approx(0));
}

TEST_CASE("counts go on across runs, and the last error stays until there is another") {
  const Folder folder;
  CHECK_FALSE(state::tool_facts(folder.path, "capture"));
  {
    state::ToolRecord record(folder.path, "capture");
    record.failed("no answer", true);
    record.conflict("insert_exists", 2);
    record.quarantined(1);
    record.did(10);
    CHECK_FALSE(state::tool_facts(folder.path, "capture")->ended);
    record.ended(69);
  }
  state::ToolRecord record(folder.path, "capture");
  record.did(5);
  record.conflict("insert_exists", 1);
  record.ended(0);
  const state::ToolFacts facts = *state::tool_facts(folder.path, "capture");
  CHECK(facts.operations == 15);
  CHECK(facts.retries == 1);
  CHECK(facts.quarantined == 1);
  CHECK(facts.conflicts.at("insert_exists") == 3);
  CHECK(facts.last_error == "no answer");
  CHECK(facts.exit_code == 0);
  CHECK(facts.pid == ::getpid());
  CHECK(facts.recent.back().operations == 15);
}

TEST_CASE("a record that is garbage is an error to read, and no obstacle to work") {
  const Folder folder;
  fs::create_directories(folder.path / "runs");
  std::ofstream(state::tool_path(folder.path, "capture")) << "{\"pid\":";
  CHECK_THROWS_AS(state::tool_facts(folder.path, "capture"), base::Error);
  state::ToolRecord(folder.path, "capture").ended(0);
  CHECK(state::tool_facts(folder.path, "capture")->exit_code == 0);
}

TEST_CASE("a record that cannot be written stops nobody") {
  state::ToolRecord record("/proc/no", "capture");
  record.did(1);
  CHECK_NOTHROW(record.ended(0));
}

TEST_CASE("the record of the last incremental pass is read as the script writes it, and garbage is told") {
  const Folder folder;
  CHECK_FALSE(state::last_incremental(folder.path));
  CHECK_FALSE(state::incremental_runs(folder.path));
  fs::create_directories(folder.path / "runs");
  const fs::path file = folder.path / "runs" / "incremental.json";
  std::ofstream(file) << R"({"pass":"incremental","started":"2026-11-28T04:05:06.000000Z",)"
                      << R"("ended":"2026-11-28T04:05:08.000000Z","until_lsn":"0/1","exit_code":69,)"
                      << R"("failed":"capture","stopped":false,"nodes":{"backup_node":)"
                      << R"({"started":"2026-11-28T04:00:06.000000Z","ended":"2026-11-28T04:00:09.000000Z",)"
                      << R"("exit_code":0,"failed":null}}})";
  const state::IncrementalPass pass = *state::last_incremental(folder.path);
  CHECK(pass.ended - pass.started == 2 * second);
  CHECK(pass.exit_code == 69);
  CHECK(pass.failed == "capture");
  CHECK(pass.nodes.at("backup_node").exit_code == 0);
  CHECK(pass.nodes.at("backup_node").ended - pass.nodes.at("backup_node").started == 3 * second);
  std::ofstream(file) << R"({"started":"yesterday","ended":"today","exit_code":0,"failed":null})";
  CHECK_THROWS_AS(state::last_incremental(folder.path), base::Error);
}
