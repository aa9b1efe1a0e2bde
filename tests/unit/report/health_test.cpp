// What a snapshot means: each thing that can be wrong, alone, has its word, its level, and a way out.
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "report/health.hpp"
#include "report/judges.hpp"
#include "sample.hpp"

namespace {

using report::Level;
using report::Snapshot;
using report::Trouble;
using sample::second;

struct Case {
  const char* code;
  Level level;
  std::function<void(Snapshot&)> break_it;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"primary_down", Level::critical,
       [](Snapshot& at) {
         sample::primary_node(at).server.trouble = Trouble::unreachable;
         sample::primary_node(at).server.error = "connection refused";
       }},
      {"standby_hangs", Level::critical, [](Snapshot& at) { sample::backup_node(at).server.trouble = Trouble::hangs; }},
      {"primary_full", Level::critical,
       [](Snapshot& at) { sample::primary_node(at).server.trouble = Trouble::crowded; }},
      {"standby_starting", Level::critical,
       [](Snapshot& at) { sample::backup_node(at).server.trouble = Trouble::starting; }},
      {"login_refused", Level::critical, [](Snapshot& at) { sample::backup_node(at).server.trouble = Trouble::login; }},
      {"encryption_failed", Level::critical,
       [](Snapshot& at) { sample::backup_node(at).server.trouble = Trouble::encryption; }},
      {"right_missing", Level::critical, [](Snapshot& at) { sample::backup_node(at).server.trouble = Trouble::right; }},
      {"no_primary", Level::critical, [](Snapshot& at) { at.current_primary.clear(); }},
      {"standby_in_recovery", Level::critical, [](Snapshot& at) { sample::backup_node(at).server.in_recovery = true; }},
      {"primary_in_recovery", Level::critical,
       [](Snapshot& at) { sample::primary_node(at).server.in_recovery = true; }},
      {"other_primary", Level::critical, [](Snapshot& at) { sample::primary_node(at).server.system_id = "9"; }},
      {"primary_promoted", Level::critical, [](Snapshot& at) { sample::primary_node(at).server.timeline = 2; }},
      {"old_primary_back", Level::critical, [](Snapshot& at) { at.spool.timeline = 2; }},
      {"old_primary_back", Level::critical, [](Snapshot& at) { sample::backup_node(at).server.has_slot = true; }},
      {"clock_skew", Level::warning, [](Snapshot& at) { sample::backup_node(at).server.clock_skew = -30; }},
      {"slot_missing", Level::critical, [](Snapshot& at) { at.slot.exists = false; }},
      {"slot_lost", Level::critical, [](Snapshot& at) { at.slot.wal_status = "lost"; }},
      {"slot_unreserved", Level::critical, [](Snapshot& at) { at.slot.wal_status = "unreserved"; }},
      {"slot_headroom", Level::warning, [](Snapshot& at) { at.slot.safe_wal_size = 100; }},
      {"wal_retained", Level::warning,
       [](Snapshot& at) {
         at.slot.active = false;
         at.slot.retained = int64_t{2} << 30;
       }},
      {"publication_missing", Level::critical, [](Snapshot& at) { at.slot.publication_exists = false; }},
      {"spool_damaged", Level::critical, [](Snapshot& at) { at.spool.error = "segment X is damaged"; }},
      {"spool_unreadable", Level::unknown,
       [](Snapshot& at) {
         at.spool = {};
         at.spool.error = "cannot open mark: permission denied";
         at.spool.readable = false;
       }},
      {"not_set_up", Level::critical, [](Snapshot& at) { at.spool.founded = false; }},
      {"spool_full", Level::critical, [](Snapshot& at) { at.spool.full = true; }},
      {"spool_nearly_full", Level::warning, [](Snapshot& at) { at.spool.bytes = 9'000'000; }},
      {"disk_space", Level::warning, [](Snapshot& at) { at.spool.free_bytes = uint64_t{5} << 30; }},
      {"disk_full", Level::critical, [](Snapshot& at) { at.spool.free_bytes = 0; }},
      {"disk_full", Level::critical,
       [](Snapshot& at) {
         at.state_free_bytes = 0;
         at.state_disk_bytes = uint64_t{1} << 30;
         at.state_disk_apart = true;
       }},
      {"queue_congested", Level::warning, [](Snapshot& at) { sample::standby(at).waiting = 1001; }},
      {"standby_not_set_up", Level::critical, [](Snapshot& at) { sample::standby(at).error = "follows nothing yet"; }},
      {"quarantine", Level::critical, [](Snapshot& at) { sample::standby(at).quarantined = 2; }},
      {"tables_different", Level::critical, [](Snapshot& at) { sample::standby(at).tables[0].equal = false; }},
      {"table_paused", Level::critical,
       [](Snapshot& at) {
         sample::standby(at).paused = {{"public.images", "column x is missing", {}}};
       }},
      {"tables_marked", Level::warning,
       [](Snapshot& at) {
         sample::standby(at).marked = {{"public.images", "a conflict", {}}};
       }},
      {"never_proven", Level::warning,
       [](Snapshot& at) {
         sample::standby(at).tables[1].equal.reset();
         sample::standby(at).tables[1].equal_time.reset();
       }},
      {"lag", Level::warning,
       [](Snapshot& at) {
         sample::standby(at).caught_up = false;
         sample::standby(at).lag_seconds = 61;
         sample::standby(at).waiting = 3;
       }},
      {"lag", Level::critical,
       [](Snapshot& at) {
         sample::standby(at).caught_up = false;
         sample::standby(at).lag_seconds = 601;
       }},
      {"lag", Level::warning,
       [](Snapshot& at) {
         sample::well_by_passes(at, 300);
         sample::standby(at).caught_up = false;
         sample::standby(at).lag_seconds = 611;
       }},
      {"full_pass_hangs", Level::warning,
       [](Snapshot& at) {
         report::FullPass& pass = sample::standby(at).full;
         pass.running = true;
         pass.exit_code.reset();
         pass.progress = sample::now - 7 * 3600 * second;
       }},
      {"proofs_old", Level::warning,
       [](Snapshot& at) {
         sample::standby(at).full = {};
         sample::standby(at).tables[1].equal_time = sample::now - 2 * 86400 * second;
       }},
      {"pass_hangs", Level::critical,
       [](Snapshot& at) {
         sample::by_passes(at, 0);
         sample::standby(at).incremental.running = true;
         sample::standby(at).incremental.progress = sample::now - 2000 * second;
       }},
      {"full_pass_failed", Level::warning, [](Snapshot& at) { sample::standby(at).full.exit_code = 69; }},
      {"full_pass_overdue", Level::warning,
       [](Snapshot& at) { sample::standby(at).full.proven = sample::now - 700 * second; }},
      {"pass_failed", Level::critical,
       [](Snapshot& at) {
         at.by_services = false;
         report::Incremental& pass = sample::standby(at).incremental;
         pass.started = pass.ended = sample::now - second;
         pass.exit_code = 69;
         pass.failed = "capture";
       }},
      {"apply_stopped", Level::critical,
       [](Snapshot& at) {
         at.is_monitoring = at.by_services = false;
         sample::standby(at).applier_running = false;
       }},
      {"capture_stopped", Level::critical,
       [](Snapshot& at) { at.is_monitoring = at.by_services = at.spool.capture_running = false; }},
      {"pass_overdue", Level::critical,
       [](Snapshot& at) {
         at.is_monitoring = at.by_services = at.spool.capture_running = false;
         sample::standby(at).applier_running = false;
         report::Incremental& pass = sample::standby(at).incremental;
         pass.started = pass.ended = sample::now - 3600 * second;
         pass.exit_code = 0;
       }},
      {"pass_failed", Level::critical,
       [](Snapshot& at) {
         sample::by_passes(at, 69);
         sample::standby(at).incremental.failed = "capture";
       }},
      {"pass_overdue", Level::critical, [](Snapshot& at) { sample::by_passes(at, 75); }},
      {"nothing_runs", Level::critical,
       [](Snapshot& at) {
         at.is_monitoring = at.by_services = at.spool.capture_running = false;
         sample::standby(at).applier_running = false;
       }},
      {"state_garbage", Level::warning,
       [](Snapshot& at) {
         at.unreadable = {{"/s/nodes.json", "/s/nodes.json is damaged"}};
       }},
      {"state_garbage", Level::unknown,
       [](Snapshot& at) {
         at.unreadable = {{"/s/verify.json", "/s/verify.json is damaged", false, true}};
         for (report::TableState& table : sample::standby(at).tables) table.equal.reset();
       }},
      {"state_unreadable", Level::unknown,
       [](Snapshot& at) {
         at.unreadable = {{"", "cannot open /s/verify.json: permission denied", true}};
       }},
      {"config_changed", Level::warning,
       [](Snapshot& at) {
         at.outdated = {{"capture", "/etc/pgtandem.yaml", sample::now - 60 * second, {}}};
       }},
      {"sync_disabled", Level::warning,
       [](Snapshot& at) {
         at.auto_sync_enabled = false;
         at.switched_by = "alice@host";
       }},
  };
  return all;
}

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
  for (const Case& one : cases()) {
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

TEST_CASE("what is to be done does something: no pass that a disabled sync keeps from its work, none beside capture") {
  const auto passes = [](const std::string& mend, const char* pass) {
    return mend.find(std::string("pgtandem ") + pass) != std::string::npos;
  };
  for (const Case& one : cases()) {
    INFO(one.code);
    Snapshot at = sample::well();
    one.break_it(at);
    at.auto_sync_enabled = false;
    for (const report::Finding& found : judge(at).findings) {
      INFO(found.mend);
      CHECK((!passes(found.mend, "sync-full") || passes(found.mend, "sync-full --force") ||
             passes(found.mend, "sync-full --init")));
      CHECK((!passes(found.mend, "sync-incremental") || passes(found.mend, "sync-incremental --force")));
      CHECK((!passes(found.mend, "apply --follow") || passes(found.mend, "status enable")));
    }
    if (!at.spool.capture_running) continue;
    at.auto_sync_enabled = true;
    for (const report::Finding& found : judge(at).findings) {
      INFO(found.mend);
      CHECK((!passes(found.mend, "sync-incremental") || !at.by_services));
    }
  }
  const auto mend_of = [](const Snapshot& at) { return judge(at).findings.at(0).mend; };
  Snapshot at = sample::well();
  at.slot.wal_status = "unreserved";
  CHECK(mend_of(at).find("journalctl -u pgtandem-capture") != std::string::npos);
  at.auto_sync_enabled = false;
  CHECK(mend_of(at).find("pgtandem status enable") != std::string::npos);
  sample::by_passes(at, 0);
  CHECK(mend_of(at).find("pgtandem sync-incremental --force; ") != std::string::npos);
  at.auto_sync_enabled = at.is_monitoring = true;
  CHECK(mend_of(at).find("pgtandem sync-incremental; ") != std::string::npos);
  at = sample::well();
  sample::standby(at).full.exit_code = 77;
  sample::standby(at).full.failed = "apply init";
  CHECK(mend_of(at) == "pgtandem sync-full --init, and read what it says");
}

TEST_CASE("who may not look is told who may, where that is known") {
  Snapshot at = sample::well();
  at.unreadable = {{"", "cannot open /s/verify.json: permission denied", true}};
  CHECK(judge(at).findings.at(0).mend.find("sudo") == std::string::npos);
  at.services_user = "tandem";
  CHECK(judge(at).findings.at(0).mend.find("(sudo -u tandem pgtandem status)") != std::string::npos);
  at.unreadable.clear();
  CHECK(judge(at).findings.empty());
  sample::backup_node(at).server.trouble = Trouble::login;
  CHECK(judge(at).findings.at(0).mend.find("(sudo -u tandem pgtandem status): ~/.pgpass") != std::string::npos);
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

TEST_CASE("a configuration that was edited under what runs: who goes by the old one, and what begins them again") {
  Snapshot at = sample::well();
  const report::Time edited = sample::now - 60 * second;
  for (const char* const name : {"apply.backup_node", "capture", "serve"})
    at.outdated.push_back({name, "/etc/pgtandem.yaml", edited, {}});
  judge_all(at);
  REQUIRE(at.verdict.findings.size() == 1);
  CHECK(
      at.verdict.findings[0].what ==
      "/etc/pgtandem.yaml was edited at 2026-11-28 04:04:06 UTC, and what runs goes by what stood there before: apply, "
      "capture, status serve");
  CHECK(at.verdict.findings[0].mend.find("systemctl restart pgtandem-apply pgtandem-capture pgtandem-status, or") == 0);
  CHECK(at.verdict.findings[0].since == edited);
  // Also where sync is disabled, and where nothing could begin with the file.
  at.auto_sync_enabled = false;
  at.outdated[0].error = "/etc/pgtandem.yaml:3:1: this is no YAML";
  at.standbys["far_node"] = sample::standby(at);
  judge_all(at);
  REQUIRE(sample::has(at.verdict, "config_changed"));
  const report::Finding& found = at.verdict.findings[0];
  CHECK(found.what.find("before: apply for backup_node, capture, status serve; nothing could begin with it") !=
        std::string::npos);
  CHECK(found.what.find(": /etc/pgtandem.yaml:3:1: this is no YAML") != std::string::npos);
  CHECK(found.mend.find(
            "mend what is named there; then systemctl restart (the unit of apply for backup_node) pgtandem-capture") ==
        0);
}
