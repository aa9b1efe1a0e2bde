// The snapshot as JSON, as metrics and as a screen: the fields that clients read, and what hostile text does.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "report/api_json.hpp"
#include "report/metrics.hpp"
#include "report/text.hpp"
#include "report/words.hpp"
#include "sample.hpp"

namespace {

using nlohmann::json;
using report::Snapshot;

}  // namespace

TEST_CASE("what clients of old read is there, under its name and of its type") {
  const Snapshot at = sample::well();
  const json sync = json::parse(sync_status_json(at));
  CHECK(sync.at("sync_enabled") == true);
  CHECK(sync.at("auto_sync_enabled") == true);
  CHECK(sync.at("sync_queue_size") == 0);
  CHECK(sync.at("last_full_sync") == (sample::now - 100 * sample::second) / sample::second);
  CHECK(sync.at("full_sync_interval") == 300);
  for (const char* const name : {"full_sync_interval", "sync_queue_size", "last_full_sync"})
    CHECK(sync.at(name).is_number_integer());
  CHECK(sync.at("current_primary") == "primary_node");
  CHECK(sync.at("local_node") == "backup_node");
  CHECK(sync.at("is_monitoring") == true);
  CHECK(sync.at("lag_seconds") == 0);
  CHECK(sync.at("caught_up") == true);
  const json status = json::parse(status_json(at));
  for (const char* const name : {"primary_node", "backup_node"}) {
    const json& node = status.at("nodes").at(name);
    CHECK(node.at("role").is_string());
    CHECK(node.at("health_status") == "healthy");
    CHECK(node.at("priority").is_number_integer());
    CHECK(node.at("failure_count").is_number_integer());
    CHECK(node.at("server").at("port").is_number_integer());
    CHECK(node.at("replication_lag").is_number());
    CHECK(node.at("failure_count") == 0);
    CHECK(node.at("last_check") == "2026-11-28T04:05:06.000000Z");
    CHECK(node.at("last_error").is_null());
    CHECK(node.at("server").at("host").is_string());
    CHECK(node.at("server").at("port") == 5432);
  }
  CHECK(status.at("sync_queue_size") == 0);
  CHECK(status.at("is_monitoring") == true);
}

TEST_CASE("an interval that is no whole number keeps its fraction") {
  Snapshot at = sample::well();
  at.limits.full_sync_interval = 0.5;
  CHECK(json::parse(sync_status_json(at)).at("full_sync_interval") == 0.5);
}

TEST_CASE("a pass that never was is 0 for clients of old, and null elsewhere") {
  Snapshot at = sample::well();
  sample::standby(at).full = {};
  CHECK(json::parse(sync_status_json(at)).at("last_full_sync") == 0);
  CHECK(json::parse(show_json(at)).at("standbys").at("backup_node").at("full_sync").at("proven").is_null());
}

TEST_CASE("names and messages in whatever bytes leave the JSON whole") {
  Snapshot at = sample::well();
  at.last_error = "a \xff byte and \"quotes\"";
  sample::standby(at).tables[0].table = "public.<script>";
  sample::backup_node(at).last_error = "\x01\xc3";
  CHECK(json::parse(show_json(at)).at("standbys").at("backup_node").at("tables").at(0).at("table") ==
        "public.<script>");
  CHECK_NOTHROW(json::parse(sync_status_json(at)));
  CHECK_NOTHROW(json::parse(status_json(at)));
  CHECK_NOTHROW(json::parse(health_json(at)));
  CHECK_NOTHROW(json::parse(replication_lag_json(at)));
}

TEST_CASE("health as JSON has the level, its exit code and the findings") {
  Snapshot at = sample::well();
  at.slot.exists = false;
  judge_all(at);
  const json health = json::parse(health_json(at));
  CHECK(health.at("status") == "critical");
  CHECK(health.at("exit_code") == 2);
  CHECK(health.at("findings").at(0).at("code") == "slot_missing");
  CHECK(health.at("findings").at(0).at("node") == "primary_node");
  CHECK(health.at("findings").at(0).at("mend").get<std::string>().find("capture drop") != std::string::npos);
}

TEST_CASE("metrics: HELP and TYPE once, samples after them, nothing for what is not known") {
  Snapshot at = sample::well();
  sample::standby(at).conflicts = {{"insert_exists", 2}, {"a\"b\\c\nd", 1}};
  sample::standby(at).lag_seconds.reset();
  const std::string text = metrics_text(at);
  CHECK(text.back() == '\n');
  std::set<std::string> types;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# TYPE ", 0) == 0) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      CHECK(types.insert(name).second);
      const bool counts = line.size() > 8 && line.substr(line.size() - 7) == "counter";
      CHECK(counts == (name.size() > 6 && name.substr(name.size() - 6) == "_total"));
    } else if (line[0] != '#') {
      CHECK(types.count(line.substr(0, line.find_first_of(" {"))) == 1);
    }
  }
  CHECK(text.find("pgtandem_apply_conflicts_total{node=\"backup_node\",kind=\"insert_exists\"} 2\n") !=
        std::string::npos);
  CHECK(text.find("kind=\"a\\\"b\\\\c\\nd\"} 1\n") != std::string::npos);
  CHECK(text.find("pgtandem_standby_lag_seconds") == std::string::npos);
  CHECK(text.find("pgtandem_health_level 0\n") != std::string::npos);
  CHECK(text.find("pgtandem_finding") == std::string::npos);
}

TEST_CASE("the screen names what mends each red thing, and sends a terminal nothing that it would obey") {
  Snapshot at = sample::well();
  sample::standby(at).paused = {{"public.\033[2Jevil", "column x is missing", {}}};
  judge_all(at);
  const std::string plain = show_text(at, false, 0);
  CHECK(plain.find("critical: ") != std::string::npos);
  CHECK(plain.find("    do: make the table fit") != std::string::npos);
  CHECK(plain.find('\033') == std::string::npos);
  const std::string coloured = show_text(at, true, 0);
  CHECK(coloured.find("\033[1;31m") != std::string::npos);
  CHECK(coloured.find("\033[2J") == std::string::npos);
}

TEST_CASE("a narrow screen cuts its lines between characters, but not what is wrong") {
  Snapshot at = sample::well();
  at.last_error_time = sample::now;
  at.last_error = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
  sample::standby(at).quarantined = 1;
  judge_all(at);
  std::istringstream lines(show_text(at, false, 43));
  bool whole = false;
  for (std::string line; std::getline(lines, line);) {
    const auto characters =
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (line.rfind("critical: ", 0) == 0 || line.rfind("    do: ", 0) == 0)
      whole = whole || characters > 43;
    else
      CHECK(characters <= 43);
    CHECK((line.empty() || static_cast<unsigned char>(line.back()) != 0xC3));
  }
  CHECK(whole);
}

TEST_CASE("a low screen has the first lines, as far as they go whole") {
  const std::string text = "\033[31mcritical\033[0m: ab\n0123456789012345\nlast\n";
  CHECK(report::first_rows(text, 12, 24) == text.substr(0, text.size() - 1));
  CHECK(report::first_rows(text, 12, 4) == text.substr(0, text.size() - 1));
  CHECK(report::first_rows(text, 12, 3) == "\033[31mcritical\033[0m: ab\n0123456789012345");
  CHECK(report::first_rows(text, 12, 2) == "\033[31mcritical\033[0m: ab");
  CHECK(report::first_rows("\xc3\xa4\xc3\xa4\xc3\xa4\nb\n", 3, 2) == "\xc3\xa4\xc3\xa4\xc3\xa4\nb");
  CHECK(report::first_rows("", 3, 2).empty());
}

TEST_CASE("what is not known of the queue is null, and no number in any text") {
  Snapshot at = sample::well();
  at.spool.error = "mark is damaged";
  at.sync_queue_size.reset();
  sample::standby(at).waiting.reset();
  sample::standby(at).lag_seconds.reset();
  judge_all(at);
  CHECK(json::parse(sync_status_json(at)).at("sync_queue_size").is_null());
  CHECK(json::parse(status_json(at)).at("sync_queue_size").is_null());
  CHECK(json::parse(show_json(at)).at("standbys").at("backup_node").at("operations").is_null());
  CHECK(metrics_text(at).find("pgtandem_queue_operations") == std::string::npos);
  CHECK(metrics_text(at).find("pgtandem_standby_queue_operations") == std::string::npos);
  CHECK(show_text(at, false, 0).find("nobody can tell how much waits") != std::string::npos);
  CHECK(line_text(at).find("queue not known") != std::string::npos);
  CHECK(plugin_text(at).find(" queue=") == std::string::npos);
}

TEST_CASE("figures as people read them") {
  CHECK(report::span_words(0.42) == "0.4 s");
  CHECK(report::span_words(45) == "45 s");
  CHECK(report::span_words(150) == "2 min");
  CHECK(report::span_words(7500) == "2 h 5 min");
  CHECK(report::span_words(4 * 86400 + 3 * 3600 + 5) == "4 d 3 h");
  CHECK(report::count_words(1, "table") == "1 table");
  CHECK(report::count_words(2, "table") == "2 tables");
  CHECK(report::moment_words(report::Time()) == "never");
  CHECK(report::moment_words(sample::now) == "2026-11-28 04:05:06 UTC");
}
