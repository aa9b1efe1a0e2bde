// Alerts: raised once, cleared once, not raised again within their cooldown; by whose thresholds.
#include <catch2/catch.hpp>

#include "report/alerts.hpp"
#include "sample.hpp"

namespace {

using report::Alarm;
using report::AlertEvent;
using sample::second;

const config::Alerts all = {
    {"database_down", {}}, {"replication_lag", {}}, {"queue", {}}, {"disk_space", {}}, {"verify", {}}};
const std::vector<Alarm> lagging = {{"replication_lag", "backup_node", "behind", 90, 60}};

}  // namespace

TEST_CASE("where all is well there is no alarm; each kind has its own, if it is asked for") {
  report::Snapshot at = sample::well();
  CHECK(alarms(all, at).empty());
  sample::backup_node(at).failure_count = 3;
  sample::standby(at).lag_seconds = 61;
  sample::standby(at).tables[0].equal = false;
  at.sync_queue_size = 1001;
  at.spool.free_bytes = uint64_t{5} << 30;
  const std::vector<Alarm> found = alarms(all, at);
  REQUIRE(found.size() == 5);
  CHECK(found[0].kind == "database_down");
  CHECK(found[0].node == "backup_node");
  CHECK(found[1].kind == "replication_lag");
  CHECK(found[1].value == 61);
  CHECK(found[2].kind == "verify");
  CHECK(found[3].kind == "queue");
  CHECK(found[4].kind == "disk_space");
  CHECK(found[4].value == Approx(5));
  CHECK(alarms({{"queue", {}}}, at).size() == 1);
  CHECK(alarms({}, at).empty());
}

TEST_CASE("a threshold of one's own counts, of disk space also in bytes") {
  report::Snapshot at = sample::well();
  sample::standby(at).lag_seconds = 10;
  CHECK(alarms({{"replication_lag", {.threshold = 5}}}, at).size() == 1);
  CHECK(alarms({{"replication_lag", {.threshold = 10}}}, at).empty());
  CHECK(alarms({{"disk_space", {.threshold = 60}}}, at).size() == 1);
  CHECK(alarms({{"disk_space", {.threshold = 1e12, .is_bytes = true}}}, at).size() == 1);
  CHECK(alarms({{"disk_space", {.threshold = 1e9, .is_bytes = true}}}, at).empty());
}

TEST_CASE("raised once, cleared once, and not raised again within the cooldown") {
  const config::Alerts alerts = {{"replication_lag", {.threshold = {}, .cooldown = 300}}};
  report::Memory memory;
  const int64_t t = sample::now;
  std::vector<AlertEvent> told = changes(alerts, lagging, t, memory);
  REQUIRE(told.size() == 1);
  CHECK(told[0].raised);
  CHECK(changes(alerts, lagging, t + 10 * second, memory).empty());
  told = changes(alerts, {}, t + 20 * second, memory);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].raised);
  CHECK(told[0].since == t);
  CHECK(changes(alerts, {}, t + 30 * second, memory).empty());
  CHECK(changes(alerts, lagging, t + 40 * second, memory).empty());   // flaps
  CHECK(changes(alerts, {}, t + 50 * second, memory).empty());        // was not told, is not cleared
  CHECK(changes(alerts, lagging, t + 290 * second, memory).empty());  // comes back
  told = changes(alerts, lagging, t + 301 * second, memory);          // and stays
  REQUIRE(told.size() == 1);
  CHECK(told[0].raised);
  CHECK(told[0].since == t + 290 * second);
}

TEST_CASE("what nobody can tell raises nothing and clears nothing") {
  report::Snapshot at = sample::well();
  report::Memory memory;
  report::Node& node = sample::backup_node(at);
  report::Standby& standby = sample::standby(at);
  node.server.trouble = report::Trouble::unreachable;
  node.failure_count = 3;
  standby.lag_seconds = 61;
  standby.tables[0].equal = false;
  at.sync_queue_size = 1001;
  at.spool.free_bytes = 1;
  REQUIRE(changes(all, alarms(all, at), sample::now, memory).size() == 5);
  node.failure_count = 1;  // the count was lost, and the server is as it was
  standby.lag_seconds.reset();
  for (report::TableState& table : standby.tables) table.equal.reset();
  at.sync_queue_size.reset();
  at.spool.free_bytes.reset();
  CHECK(changes(all, alarms(all, at), sample::now + second, memory).empty());
  report::Memory none;
  CHECK(changes(all, alarms(all, at), sample::now + second, none).empty());
  CHECK(none.empty());
  at = sample::well();
  const std::vector<AlertEvent> told = changes(all, alarms(all, at), sample::now + 2 * second, memory);
  CHECK(told.size() == 5);
  for (const AlertEvent& event : told) CHECK_FALSE(event.raised);
}

TEST_CASE("by passes the lag that raises an alert is theirs, where no threshold is given") {
  report::Snapshot at = sample::well();
  at.by_services = false;
  at.limits.incremental_sync_interval = 300;
  report::Incremental& pass = sample::standby(at).incremental;
  pass.started = pass.ended = sample::now - 290 * second;
  sample::standby(at).lag_seconds = 290;
  CHECK(alarms({{"replication_lag", {}}}, at).empty());
  CHECK(alarms({{"replication_lag", {.threshold = 100}}}, at).size() == 1);
}

TEST_CASE("of two disks the fuller one is told") {
  report::Snapshot at = sample::well();
  at.state_free_bytes = 1;
  at.state_disk_bytes = 1000;
  CHECK(alarms({{"disk_space", {}}}, at).empty());  // it is the same one
  at.state_disk_apart = true;
  REQUIRE(alarms({{"disk_space", {}}}, at).size() == 1);
  CHECK(alarms({{"disk_space", {}}}, at)[0].what.find("state directory") != std::string::npos);
}

TEST_CASE("what is over is forgotten when its cooldown is") {
  const config::Alerts alerts = {{"replication_lag", {.threshold = {}, .cooldown = 300}}};
  report::Memory memory;
  changes(alerts, lagging, sample::now, memory);
  changes(alerts, {}, sample::now + 10 * second, memory);
  CHECK(memory.size() == 1);
  changes(alerts, {}, sample::now + 400 * second, memory);
  CHECK(memory.empty());
}

TEST_CASE("an event is a line of JSON") {
  CHECK(report::event_line({lagging[0], true, sample::now, sample::now}) ==
        "{\"event\":\"raised\",\"time\":\"2026-11-28T04:05:06.000000Z\",\"alert\":\"replication_lag\",\"node\":"
        "\"backup_node\",\"what\":\"behind\",\"value\":90.0,\"threshold\":60.0,\"since\":"
        "\"2026-11-28T04:05:06.000000Z\"}\n");
}
