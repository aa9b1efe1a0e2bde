// How passes are judged by their own pace: how far behind is well between two, which is overdue, which hangs, whose
// failed.
#include <catch2/catch.hpp>
#include <string>

#include "report/health.hpp"
#include "report/judges.hpp"
#include "sample.hpp"

namespace {

using report::Level;
using report::Snapshot;
using sample::second;

}  // namespace

TEST_CASE("by passes the standby is as far behind as they are apart, and that is well; by services it is not") {
  Snapshot at = sample::well();
  sample::standby(at).caught_up = false;
  sample::standby(at).lag_seconds = 305;
  CHECK(sample::has(judge(at), "lag"));
  sample::well_by_passes(at, 300);
  CHECK(lag_limit_of(at, "backup_node") == 610);
  CHECK(judge(at).findings.empty());
  at.limits.incremental_sync_interval = 1;  // by cron, which starts one a minute
  sample::standby(at).lag_seconds = 75;
  CHECK(judge(at).findings.empty());
  at.nodes["backup_node"].lag_threshold = 900;
  CHECK(lag_limit_of(at, "backup_node") == 900);
}

TEST_CASE("what was not done while the sync was disabled is no fault right after it is enabled again") {
  Snapshot at = sample::well();
  sample::by_passes(at, 0);
  report::Standby& of = sample::standby(at);
  of.incremental.started = of.incremental.ended = sample::now - 86400 * second;
  of.caught_up = false;
  of.lag_seconds = 86400;
  CHECK(judge(at).level == Level::critical);
  CHECK_FALSE(ended_lately(at, of.incremental));
  at.switched_by = "alice@host";
  at.switched = sample::now - second;
  CHECK(ended_lately(at, of.incremental));
  at.is_monitoring = true;  // so is that then
  CHECK(judge(at).level == Level::warning);
  CHECK(judge(at).findings.size() == 1);
  CHECK(sample::has(judge(at), "lag"));
}

TEST_CASE("a pass that runs is one that comes to something") {
  Snapshot at = sample::well();
  report::Incremental& pass = sample::standby(at).incremental;
  CHECK_FALSE(moves(at, pass));
  pass.running = true;
  pass.progress = sample::now - 1000 * second;
  CHECK(moves(at, pass));
  pass.progress = sample::now - 1900 * second;
  CHECK_FALSE(moves(at, pass));
  at.limits.incremental_sync_interval = 1000;
  CHECK(moves(at, pass));
}

TEST_CASE("proofs age for who never ran a full pass, and a table that is paused is told as that") {
  Snapshot at = sample::well();
  report::Standby& of = sample::standby(at);
  of.full = {};
  of.tables[0].equal_time = sample::now - (86400 + 600) * second;
  CHECK(judge(at).findings.empty());  // twice the interval and a minute may be late
  of.tables[0].equal_time = sample::now - (86400 + 700) * second;
  CHECK(sample::has(judge(at), "proofs_old"));
  of.paused = {{"public.images", "column x is missing", {}}};
  CHECK_FALSE(sample::has(judge(at), "proofs_old"));
}

TEST_CASE("a pass that failed for one of two standbys is told of that one, one that failed for both is told once") {
  Snapshot at = sample::well();
  at.by_services = false;
  at.standbys["far_node"] = sample::standby(at);
  report::Incremental& pass = at.standbys["far_node"].incremental;
  pass.started = pass.ended = sample::now - second;
  pass.exit_code = 69;
  pass.failed = "apply";
  REQUIRE(judge(at).findings.size() == 1);
  CHECK(judge(at).findings[0].node == "far_node");
  CHECK(judge(at).findings[0].mend.find("--node far_node") != std::string::npos);
  sample::standby(at).incremental = pass;
  REQUIRE(judge(at).findings.size() == 1);
  CHECK(judge(at).findings[0].node.empty());
}
