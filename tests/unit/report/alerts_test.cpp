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
