// What a snapshot means: each thing that can be wrong, alone, has its word, its level, and a way out; and how many
// things and nodes are told together.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cases.hpp"
#include "report/health.hpp"
#include "report/judges.hpp"
#include "sample.hpp"

namespace {

using report::Level;
using report::Snapshot;
using report::Trouble;
using sample::second;

}  // namespace

TEST_CASE("where all is well nothing is found, and the line says how far the standby is and what was proven") {
  const report::Verdict verdict = judge(sample::well());
  CHECK(verdict.level == Level::ok);
  CHECK(verdict.findings.empty());
  CHECK(verdict.line ==
        "backup_node has all that was committed before 2026-11-28 04:05:06 UTC; all 2 tables proven equal at "
        "2026-11-28 04:03:26 UTC");
}

TEST_CASE("each thing that is wrong is found alone, with its level, in words, and with what mends it") {
  for (const sample::Case& one : sample::cases()) {
    INFO(one.code);
    Snapshot at = sample::well();
    one.break_it(at);
    const report::Verdict verdict = judge(at);
    REQUIRE(verdict.findings.size() == 1);
    const report::Finding& found = verdict.findings[0];
    CHECK(found.code == one.code);
    CHECK(found.level == one.level);
    CHECK(verdict.level == one.level);
    CHECK(verdict.line == found.what);
    CHECK(found.what.size() > 15);
    CHECK(found.mend.size() > 5);
    CHECK(found.what.find('\n') == std::string::npos);
  }
}

TEST_CASE("caught up is to have reached a position: silence is none, and an unknown lag is not a good one") {
  Snapshot at = sample::well();
  sample::standby(at).caught_up = false;
  sample::standby(at).lag_seconds = 3600;  // nothing waits, and nothing was captured for an hour
  CHECK(sample::has(judge(at), "lag"));
  sample::standby(at).caught_up = true;
  CHECK_FALSE(sample::has(judge(at), "lag"));
}

TEST_CASE("a server that says why it takes nobody in is not offline, however often") {
  Snapshot at = sample::well();
  report::Node& node = sample::backup_node(at);
  node.failure_count = 9;
  node.server.trouble = Trouble::crowded;
  judge_all(at);
  CHECK(node.health == report::Health::critical);
  CHECK(at.verdict.findings.at(0).mend.find("pg_stat_activity") != std::string::npos);
  node.server.trouble = Trouble::starting;
  judge_all(at);
  CHECK(node.health == report::Health::critical);
  CHECK(at.verdict.findings.at(0).mend.find("systemctl start") == std::string::npos);
  node.server.trouble = Trouble::encryption;
  judge_all(at);
  CHECK(node.health == report::Health::critical);
  CHECK(at.verdict.findings.at(0).mend.find("-connect db2:5432 ") != std::string::npos);
}

TEST_CASE("the worst comes first, and what is critical outweighs what cannot be told") {
  Snapshot at = sample::well();
  at.unreadable = {{"/s/x", "x"}};
  sample::standby(at).quarantined = 1;
  report::Verdict verdict = judge(at);
  CHECK(verdict.level == Level::critical);
  CHECK(verdict.findings[0].code == "quarantine");
  CHECK(verdict.line == verdict.findings[0].what + " (and 1 more)");
  at.spool.error = "no";
  at.spool.readable = false;
  verdict = judge(at);
  CHECK(verdict.level == Level::critical);
  CHECK(verdict.line.find("quarantine") != std::string::npos);
}

TEST_CASE("swapped roles are told as that, and not as their consequences") {
  Snapshot at = sample::well();
  sample::primary_node(at).server.has_slot = false;
  sample::primary_node(at).server.has_progress = true;
  sample::primary_node(at).server.system_id = "7342";
  sample::backup_node(at).server.has_slot = true;
  const report::Verdict verdict = judge(at);
  CHECK(sample::has(verdict, "roles_swapped"));
  CHECK_FALSE(sample::has(verdict, "old_primary_back"));
  CHECK_FALSE(sample::has(verdict, "other_primary"));
}

TEST_CASE("a node is offline after so many looks in vain, and critical before") {
  Snapshot at = sample::well();
  report::Node& node = sample::backup_node(at);
  CHECK(judge_node(at, node) == report::Health::healthy);
  node.server.trouble = Trouble::unreachable;
  node.failure_count = 2;
  CHECK(judge_node(at, node) == report::Health::critical);
  node.failure_count = 3;
  CHECK(judge_node(at, node) == report::Health::offline);
  node.server.trouble = Trouble::none;
  sample::standby(at).marked = {{"public.images", "a conflict", {}}};
  judge_all(at);
  CHECK(node.health == report::Health::warning);
}

TEST_CASE("the plugins' language: one short line with figures after a bar, then a line a finding") {
  const Snapshot at = sample::well();
  const std::string text = plugin_text(at);
  CHECK(text.substr(0, text.find(" - ")) == "PGTANDEM OK");
  CHECK(text.find(" | lag=0s;60;600 lag_bytes=0B queue=0;1000 spool=1000B;;10000000 retained_wal=4096B quarantined=0 "
                  "paused_tables=0\n") != std::string::npos);
  Snapshot broken = at;
  sample::standby(broken).error = "a | b";
  judge_all(broken);
  const std::string lines = plugin_text(broken);
  CHECK(lines.rfind("PGTANDEM CRITICAL - a / b |", 0) == 0);
  CHECK(lines.find("\ncritical: a / b; pgtandem sync-full --init, or what that one names\n") != std::string::npos);
}

TEST_CASE("of two standbys each is told by itself, the worst counts, and a command says which one it is for") {
  Snapshot at = sample::well();
  at.standbys["far_node"] = sample::standby(at);
  at.standbys["far_node"].node = "far_node";
  at.nodes["far_node"] = sample::backup_node(at);
  at.nodes["far_node"].name = "far_node";
  judge_all(at);
  CHECK(at.verdict.line.find("backup_node has all") == 0);
  CHECK(at.verdict.line.find("; far_node has all") != std::string::npos);
  CHECK(plugin_text(at).find(" quarantined_far_node=0") != std::string::npos);
  report::Standby& far = at.standbys["far_node"];
  far.full.exit_code = 69;
  far.quarantined = 2;
  judge_all(at);
  CHECK(at.verdict.level == Level::critical);
  for (const report::Finding& finding : at.verdict.findings) CHECK(finding.node == "far_node");
  CHECK(at.verdict.findings.back().mend.find("pgtandem sync-full --node far_node") == 0);
  CHECK(at.nodes["backup_node"].health == report::Health::healthy);
  CHECK(at.nodes["far_node"].health == report::Health::critical);
  CHECK(plugin_text(at).find(" quarantined=2 ") != std::string::npos);
}
