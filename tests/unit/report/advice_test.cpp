// What a finding says to do does something: it fits what runs, what is switched off, and who asks.
#include <catch2/catch.hpp>
#include <string>

#include "cases.hpp"
#include "report/health.hpp"
#include "report/judges.hpp"
#include "sample.hpp"

using report::Snapshot;
using report::Trouble;
using sample::second;

TEST_CASE("what is to be done does something: no pass that a disabled sync keeps from its work, none beside capture") {
  const auto passes = [](const std::string& mend, const char* pass) {
    return mend.find(std::string("pgtandem ") + pass) != std::string::npos;
  };
  for (const sample::Case& one : sample::cases()) {
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
