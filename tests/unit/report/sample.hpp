// A snapshot in which all is well, for tests to break.
#pragma once

#include <algorithm>
#include <string>

#include "report/health.hpp"
#include "report/snapshot.hpp"

namespace sample {

constexpr int64_t second = 1'000'000;
constexpr int64_t now = 1'795'838'706 * second;  // 2026-11-28T04:05:06Z

inline report::Snapshot well() {
  report::Snapshot at;
  at.time = now;
  at.version = "0.1.0";
  at.local_node = "backup_node";
  at.current_primary = "primary_node";
  at.is_monitoring = at.by_services = true;
  at.sync_queue_size = 0;
  for (const char* const name : {"primary_node", "backup_node"}) {
    report::Node& node = at.nodes[name];
    node.name = name;
    node.role = name == at.current_primary ? config::Role::primary : config::Role::secondary;
    node.host = name == at.current_primary ? "db1" : "db2";
    node.port = 5432;
    node.replication_lag = 0;
    node.last_check = now;
    node.server.seconds = 0.012;
    node.server.version = 150020;
    node.server.in_recovery = false;
    node.server.clock_skew = 0;
    node.server.lsn = "0/2000000";
    node.server.timeline = 1;
    node.server.system_id = name == at.current_primary ? "7341" : "7342";
    node.server.has_slot = node.role == config::Role::primary;
    node.server.has_progress = node.role == config::Role::secondary;
  }
  at.slot.name = "pgtandem_backup_node";
  at.slot.exists = at.slot.publication_exists = true;
  at.slot.active = true;
  at.slot.wal_status = "reserved";
  at.slot.retained = 4096;
  report::Spool& spool = at.spool;
  spool.founded = spool.capture_running = true;
  spool.bytes = 1000;
  spool.max_bytes = 10'000'000;
  spool.segments = 1;
  spool.free_bytes = uint64_t{50} << 30;
  spool.disk_bytes = uint64_t{100} << 30;
  spool.operations_total = 120;
  spool.transactions_total = 30;
  spool.system_id = "7341";
  spool.timeline = 1;
  spool.captured_to = "0/2000000";
  spool.captured_to_time = now - second;
  spool.captured_lsn = "0/1FFFF00";
  spool.captured_time = now - 60 * second;
  report::Standby& standby = at.standbys["backup_node"];
  standby.node = "backup_node";
  standby.applier_running = standby.caught_up = true;
  standby.applied_lsn = "0/1FFFF00";
  standby.applied_time = now - 60 * second;
  standby.applied_to = "0/2000000";
  standby.lag_seconds = 0;
  standby.lag_bytes = 0;
  standby.lag_transactions = 0;
  standby.operations_total = 120;
  standby.waiting = 0;
  standby.success_rate = 1;
  standby.tables.resize(2);
  standby.tables[0].table = "public.images";
  standby.tables[1].table = "public.categories";
  for (report::TableState& table : standby.tables) {
    table.equal = true;
    table.time = table.equal_time = now - 100 * second;
    table.lsn = table.equal_lsn = "0/1FFFF00";
    table.rows = 7;
  }
  standby.full.started = now - 110 * second;
  standby.full.ended = standby.full.proven = now - 100 * second;
  standby.full.exit_code = 0;
  judge_all(at);
  return at;
}

inline report::Standby& standby(report::Snapshot& at) { return at.standbys.at("backup_node"); }
inline report::Node& primary_node(report::Snapshot& at) { return at.nodes.at("primary_node"); }
inline report::Node& backup_node(report::Snapshot& at) { return at.nodes.at("backup_node"); }

// By passes: the last of them has just ended, and brought nothing over.
inline void by_passes(report::Snapshot& at, int exit_code) {
  at.is_monitoring = at.by_services = at.spool.capture_running = false;
  standby(at).applier_running = false;
  report::Incremental& pass = standby(at).incremental;
  pass.started = pass.ended = now - second;
  pass.exit_code = exit_code;
}

// They come when they should; the last one took ten seconds, and brought all over.
inline void well_by_passes(report::Snapshot& at, double interval) {
  by_passes(at, 0);
  at.is_monitoring = true;
  at.limits.incremental_sync_interval = interval;
  standby(at).incremental.started = now - 11 * second;
}

inline bool has(const report::Verdict& verdict, const std::string& code) {
  return std::any_of(verdict.findings.begin(), verdict.findings.end(),
                     [&](const report::Finding& finding) { return finding.code == code; });
}

}  // namespace sample
