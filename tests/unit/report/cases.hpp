// What can be wrong, each thing alone, with its word and its level: the snapshots that the tests of this floor judge.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/judges.hpp"
#include "sample.hpp"

namespace sample {

using report::Level;
using report::Snapshot;
using report::Trouble;

struct Case {
  const char* code;
  Level level;
  std::function<void(Snapshot&)> break_it;
};

inline const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"primary_down", Level::critical,
       [](Snapshot& at) {
         primary_node(at).server.trouble = Trouble::unreachable;
         primary_node(at).server.error = "connection refused";
       }},
      {"standby_hangs", Level::critical, [](Snapshot& at) { backup_node(at).server.trouble = Trouble::hangs; }},
      {"primary_full", Level::critical, [](Snapshot& at) { primary_node(at).server.trouble = Trouble::crowded; }},
      {"standby_starting", Level::critical, [](Snapshot& at) { backup_node(at).server.trouble = Trouble::starting; }},
      {"login_refused", Level::critical, [](Snapshot& at) { backup_node(at).server.trouble = Trouble::login; }},
      {"encryption_failed", Level::critical,
       [](Snapshot& at) { backup_node(at).server.trouble = Trouble::encryption; }},
      {"right_missing", Level::critical, [](Snapshot& at) { backup_node(at).server.trouble = Trouble::right; }},
      {"no_primary", Level::critical, [](Snapshot& at) { at.current_primary.clear(); }},
      {"standby_in_recovery", Level::critical, [](Snapshot& at) { backup_node(at).server.in_recovery = true; }},
      {"primary_in_recovery", Level::critical, [](Snapshot& at) { primary_node(at).server.in_recovery = true; }},
      {"other_primary", Level::critical, [](Snapshot& at) { primary_node(at).server.system_id = "9"; }},
      {"primary_promoted", Level::critical, [](Snapshot& at) { primary_node(at).server.timeline = 2; }},
      {"old_primary_back", Level::critical, [](Snapshot& at) { at.spool.timeline = 2; }},
      {"old_primary_back", Level::critical, [](Snapshot& at) { backup_node(at).server.has_slot = true; }},
      {"clock_skew", Level::warning, [](Snapshot& at) { backup_node(at).server.clock_skew = -30; }},
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
      {"queue_congested", Level::warning, [](Snapshot& at) { standby(at).waiting = 1001; }},
      {"standby_not_set_up", Level::critical, [](Snapshot& at) { standby(at).error = "follows nothing yet"; }},
      {"quarantine", Level::critical, [](Snapshot& at) { standby(at).quarantined = 2; }},
      {"tables_different", Level::critical, [](Snapshot& at) { standby(at).tables[0].equal = false; }},
      {"table_paused", Level::critical,
       [](Snapshot& at) {
         standby(at).paused = {{"public.images", "column x is missing", {}}};
       }},
      {"tables_marked", Level::warning,
       [](Snapshot& at) {
         standby(at).marked = {{"public.images", "a conflict", {}}};
       }},
      {"never_proven", Level::warning,
       [](Snapshot& at) {
         standby(at).tables[1].equal.reset();
         standby(at).tables[1].equal_time.reset();
       }},
      {"lag", Level::warning,
       [](Snapshot& at) {
         standby(at).caught_up = false;
         standby(at).lag_seconds = 61;
         standby(at).waiting = 3;
       }},
      {"lag", Level::critical,
       [](Snapshot& at) {
         standby(at).caught_up = false;
         standby(at).lag_seconds = 601;
       }},
      {"lag", Level::warning,
       [](Snapshot& at) {
         well_by_passes(at, 300);
         standby(at).caught_up = false;
         standby(at).lag_seconds = 611;
       }},
      {"full_pass_hangs", Level::warning,
       [](Snapshot& at) {
         report::FullPass& pass = standby(at).full;
         pass.running = true;
         pass.exit_code.reset();
         pass.progress = now - 7 * 3600 * second;
       }},
      {"proofs_old", Level::warning,
       [](Snapshot& at) {
         standby(at).full = {};
         standby(at).tables[1].equal_time = now - 2 * 86400 * second;
       }},
      {"pass_hangs", Level::critical,
       [](Snapshot& at) {
         by_passes(at, 0);
         standby(at).incremental.running = true;
         standby(at).incremental.progress = now - 2000 * second;
       }},
      {"full_pass_failed", Level::warning, [](Snapshot& at) { standby(at).full.exit_code = 69; }},
      {"full_pass_overdue", Level::warning, [](Snapshot& at) { standby(at).full.proven = now - 700 * second; }},
      {"pass_failed", Level::critical,
       [](Snapshot& at) {
         at.by_services = false;
         report::Incremental& pass = standby(at).incremental;
         pass.started = pass.ended = now - second;
         pass.exit_code = 69;
         pass.failed = "capture";
       }},
      {"apply_stopped", Level::critical,
       [](Snapshot& at) {
         at.is_monitoring = at.by_services = false;
         standby(at).applier_running = false;
       }},
      {"capture_stopped", Level::critical,
       [](Snapshot& at) { at.is_monitoring = at.by_services = at.spool.capture_running = false; }},
      {"pass_overdue", Level::critical,
       [](Snapshot& at) {
         at.is_monitoring = at.by_services = at.spool.capture_running = false;
         standby(at).applier_running = false;
         report::Incremental& pass = standby(at).incremental;
         pass.started = pass.ended = now - 3600 * second;
         pass.exit_code = 0;
       }},
      {"pass_failed", Level::critical,
       [](Snapshot& at) {
         by_passes(at, 69);
         standby(at).incremental.failed = "capture";
       }},
      {"pass_overdue", Level::critical, [](Snapshot& at) { by_passes(at, 75); }},
      {"nothing_runs", Level::critical,
       [](Snapshot& at) {
         at.is_monitoring = at.by_services = at.spool.capture_running = false;
         standby(at).applier_running = false;
       }},
      {"state_garbage", Level::warning,
       [](Snapshot& at) {
         at.unreadable = {{"/s/nodes.json", "/s/nodes.json is damaged"}};
       }},
      {"state_garbage", Level::unknown,
       [](Snapshot& at) {
         at.unreadable = {{"/s/verify.json", "/s/verify.json is damaged", false, true}};
         for (report::TableState& table : standby(at).tables) table.equal.reset();
       }},
      {"state_unreadable", Level::unknown,
       [](Snapshot& at) {
         at.unreadable = {{"", "cannot open /s/verify.json: permission denied", true}};
       }},
      {"config_changed", Level::warning,
       [](Snapshot& at) {
         at.outdated = {{"capture", "/etc/pgtandem.yaml", now - 60 * second, {}}};
       }},
      {"sync_disabled", Level::warning,
       [](Snapshot& at) {
         at.auto_sync_enabled = false;
         at.switched_by = "alice@host";
       }},
  };
  return all;
}

}  // namespace sample
