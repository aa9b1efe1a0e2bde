#include "report/metrics.hpp"

#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "report/health.hpp"
#include "report/words.hpp"

namespace report {
namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;

std::string number(double value) {
  char text[40];
  if (std::nearbyint(value) == value && std::fabs(value) < 1e15)
    std::snprintf(text, sizeof text, "%.0f", value);
  else
    std::snprintf(text, sizeof text, "%.6f", value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

class Metrics {
 public:
  // The samples that follow belong to it; what has none is not mentioned.
  void name(const char* metric, const char* type, const char* help) {
    metric_ = metric;
    head_ = std::string("# HELP ") + metric + ' ' + help + "\n# TYPE " + metric + ' ' + type + '\n';
  }
  void gauge(const char* metric, const char* help) { name(metric, "gauge", help); }
  void counter(const char* metric, const char* help) { name(metric, "counter", help); }

  void add(const Labels& labels, double value) {
    text_ += std::exchange(head_, {}) + metric_;
    for (size_t i = 0; i < labels.size(); ++i)
      text_ += (i == 0 ? "{" : ",") + std::string(labels[i].first) + "=\"" + escaped(labels[i].second) + '"';
    if (!labels.empty()) text_ += '}';
    text_ += ' ' + number(value) + '\n';
  }
  void add(const Labels& labels, const Time& time) {
    if (time) add(labels, static_cast<double>(*time) / 1e6);
  }
  template <class Value>
  void add_known(const Labels& labels, const std::optional<Value>& value) {
    if (value) add(labels, static_cast<double>(*value));
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string metric_;
  std::string head_;
  std::string text_;
};

double flag(bool value) { return value ? 1 : 0; }

std::optional<double> duration(const Time& from, const Time& to) {
  if (!from || !to) return {};
  return static_cast<double>(*to - *from) / 1e6;
}

void add_whole(Metrics& out, const Snapshot& at) {
  const Verdict& verdict = at.verdict;
  out.gauge("pgtandem_build_info", "The version of pgtandem that took the snapshot; always 1.");
  out.add({{"version", at.version}}, 1);
  out.gauge("pgtandem_snapshot_timestamp_seconds", "When the snapshot was taken.");
  out.add({}, Time(at.time));
  out.gauge("pgtandem_health_level", "What it means: 0 ok, 1 warning, 2 critical, 3 unknown.");
  out.add({}, static_cast<double>(verdict.level));
  out.gauge("pgtandem_finding", "1 for each thing that is wrong; pgtandem status says what mends it.");
  for (const Finding& finding : verdict.findings)
    out.add({{"code", finding.code}, {"level", name_of(finding.level)}, {"node", finding.node}}, 1);
  out.gauge("pgtandem_auto_sync_enabled", "1 while the sync is enabled, by the configuration and by the switch.");
  out.add({}, flag(at.auto_sync_enabled));
  out.gauge("pgtandem_monitoring", "1 while services run, or the passes run when they should.");
  out.add({}, flag(at.is_monitoring));
  out.gauge("pgtandem_full_sync_interval_seconds", "The interval between full passes, as configured.");
  out.add({}, at.limits.full_sync_interval);
  out.gauge("pgtandem_incremental_sync_interval_seconds", "The interval between incremental passes, as configured.");
  out.add({}, at.limits.incremental_sync_interval);
}

void add_nodes(Metrics& out, const Snapshot& at) {
  const auto each = [&](auto&& sample) {
    for (const auto& [name, node] : at.nodes) sample(Labels{{"node", name}, {"role", name_of(node.role)}}, node);
  };
  out.gauge("pgtandem_node_up", "1 where the server answered within the deadline.");
  each([&](const Labels& labels, const Node& node) { out.add(labels, flag(node.server.reached())); });
  out.gauge("pgtandem_node_health", "0 healthy, 1 warning, 2 critical, 3 offline.");
  each([&](const Labels& labels, const Node& node) { out.add(labels, static_cast<double>(node.health)); });
  out.gauge("pgtandem_node_failures", "Looks in a row at which the server did not answer.");
  each([&](const Labels& labels, const Node& node) { out.add(labels, static_cast<double>(node.failure_count)); });
  out.gauge("pgtandem_node_answer_seconds", "What the server's answers took.");
  each([&](const Labels& labels, const Node& node) {
    if (node.server.reached()) out.add(labels, node.server.seconds);
  });
  out.gauge("pgtandem_node_clock_skew_seconds", "How far the server's clock is ahead of this machine's.");
  each([&](const Labels& labels, const Node& node) { out.add_known(labels, node.server.clock_skew); });
}

void add_slot(Metrics& out, const Slot& slot) {
  const Labels labels = {{"slot", slot.name}};
  out.gauge("pgtandem_slot_exists", "1 where the primary has the replication slot.");
  out.add_known(labels, slot.exists);
  if (!slot.exists.value_or(false)) return;
  out.gauge("pgtandem_slot_active", "1 while something reads the slot.");
  out.add(labels, flag(slot.active));
  out.gauge("pgtandem_slot_retained_bytes", "WAL that the primary keeps for the slot.");
  out.add_known(labels, slot.retained);
  out.gauge("pgtandem_slot_safe_wal_bytes", "WAL that may be written before the slot is lost; absent without a limit.");
  out.add_known(labels, slot.safe_wal_size);
  out.gauge("pgtandem_slot_lost", "1 where the primary has removed WAL that the slot needs.");
  out.add(labels, flag(slot.wal_status == "lost"));
}

void add_spool(Metrics& out, const Snapshot& at) {
  out.gauge("pgtandem_queue_limit_operations", "max_queue_size: above it the queue is congested.");
  out.add({}, static_cast<double>(at.limits.max_queue_size));
  if (!at.spool.founded) return;
  const Spool& spool = at.spool;
  out.gauge("pgtandem_queue_operations", "Operations that the slowest standby has not applied.");
  out.add_known({}, at.sync_queue_size);
  out.gauge("pgtandem_spool_bytes", "Size of the spool's segments.");
  out.add({}, static_cast<double>(spool.bytes));
  out.gauge("pgtandem_spool_max_bytes", "spool.max_bytes: where the spool is full.");
  out.add({}, static_cast<double>(spool.max_bytes));
  out.gauge("pgtandem_spool_disk_free_bytes", "Free on the file system of the spool.");
  out.add_known({}, spool.free_bytes);
  out.gauge("pgtandem_spool_disk_size_bytes", "Size of the file system of the spool.");
  out.add_known({}, spool.disk_bytes);
  out.gauge("pgtandem_spool_segments", "Segments in the spool.");
  out.add({}, static_cast<double>(spool.segments));
  out.counter("pgtandem_capture_operations_total", "Operations ever put into the spool.");
  out.add({}, static_cast<double>(spool.operations_total));
  out.counter("pgtandem_capture_transactions_total", "Transactions ever put into the spool.");
  out.add({}, static_cast<double>(spool.transactions_total));
  out.counter("pgtandem_capture_retries_total", "Times that capture had to try again.");
  out.add({}, static_cast<double>(at.capture_retries_total));
  out.gauge("pgtandem_capture_running", "1 while capture and queue put run.");
  out.add({}, flag(spool.capture_running));
  out.gauge("pgtandem_captured_timestamp_seconds", "When the spool was last known to have all up to its position.");
  out.add({}, spool.captured_to_time);
  out.gauge("pgtandem_captured_commit_timestamp_seconds", "Commit time of the last transaction in the spool.");
  out.add({}, spool.captured_time);
}

void add_standbys(Metrics& out, const Snapshot& at) {
  const auto each = [&](auto&& sample) {
    for (const auto& [name, standby] : at.standbys) sample(Labels{{"node", name}}, standby);
  };
  const auto gauge = [&](const char* metric, const char* help, auto&& value) {
    out.gauge(metric, help);
    each([&](const Labels& labels, const Standby& standby) { out.add(labels, static_cast<double>(value(standby))); });
  };
  const auto known = [&](const char* metric, const char* help, auto member) {
    out.gauge(metric, help);
    each([&](const Labels& labels, const Standby& standby) { out.add_known(labels, standby.*member); });
  };
  const auto counter = [&](const char* metric, const char* help, uint64_t Standby::*member) {
    out.counter(metric, help);
    each([&](const Labels& labels, const Standby& standby) { out.add(labels, static_cast<double>(standby.*member)); });
  };
  const auto moment = [&](const char* metric, const char* help, Time Standby::*member) {
    out.gauge(metric, help);
    each([&](const Labels& labels, const Standby& standby) { out.add(labels, standby.*member); });
  };
  gauge("pgtandem_apply_running", "1 while apply runs for the standby.",
        [](const Standby& of) { return flag(of.applier_running); });
  known("pgtandem_standby_queue_operations", "Operations in the spool that the standby has not applied.",
        &Standby::waiting);
  gauge("pgtandem_standby_caught_up", "1 where the standby had reached the position that the primary was asked for.",
        [](const Standby& of) { return flag(of.caught_up); });
  known("pgtandem_standby_lag_seconds", "Age of the oldest change that the standby may lack.", &Standby::lag_seconds);
  gauge("pgtandem_standby_lag_limit_seconds", "A lag of more than that is a warning, of ten times as much critical.",
        [&](const Standby& of) { return lag_limit_of(at, of.node); });
  known("pgtandem_standby_lag_bytes", "WAL between the standby's position and the primary's.", &Standby::lag_bytes);
  known("pgtandem_standby_lag_transactions", "Transactions in the spool that the standby has not applied.",
        &Standby::lag_transactions);
  moment("pgtandem_standby_oldest_pending_timestamp_seconds", "Commit time of the first transaction that waits.",
         &Standby::oldest_pending);
  moment("pgtandem_applied_commit_timestamp_seconds", "Commit time of the last transaction applied.",
         &Standby::applied_time);
  counter("pgtandem_apply_operations_total", "Operations ever applied to the standby.", &Standby::operations_total);
  counter("pgtandem_apply_retries_total", "Times that apply had to try again.", &Standby::retries_total);
  counter("pgtandem_apply_quarantined_total", "Operations ever put into quarantine.", &Standby::quarantined_total);
  out.counter("pgtandem_apply_conflicts_total", "Conflicts met on the standby, by kind.");
  each([&](const Labels& labels, const Standby& standby) {
    for (const auto& [kind, count] : standby.conflicts)
      out.add({labels[0], {"kind", kind}}, static_cast<double>(count));
  });
  known("pgtandem_apply_success_ratio", "Of the operations that came, those that were written.",
        &Standby::success_rate);
  gauge("pgtandem_quarantined_operations", "Operations in quarantine now.",
        [](const Standby& of) { return of.quarantined; });
  gauge("pgtandem_paused_tables", "Tables that wait for their shape to be mended.",
        [](const Standby& of) { return of.paused.size(); });
  gauge("pgtandem_marked_tables", "Tables that are marked for the next full pass.",
        [](const Standby& of) { return of.marked.size(); });
  const auto count = [](const Standby& of, auto&& which) {
    size_t found = 0;
    for (const TableState& table : of.tables) found += which(table) ? 1 : 0;
    return found;
  };
  gauge("pgtandem_tables", "Tables that are synced.", [](const Standby& of) { return of.tables.size(); });
  gauge("pgtandem_tables_proven", "Tables that the last exact comparison found equal.", [&](const Standby& of) {
    return count(of, [](const TableState& table) { return table.equal.value_or(false); });
  });
  gauge("pgtandem_tables_different", "Tables that the last exact comparison found different.", [&](const Standby& of) {
    return count(of, [](const TableState& table) { return !table.equal.value_or(true); });
  });
}

void add_passes(Metrics& out, const Snapshot& at) {
  const auto each = [&](auto&& sample) {
    for (const auto& [name, standby] : at.standbys) sample(Labels{{"node", name}}, standby.full);
  };
  out.gauge("pgtandem_full_sync_proven_timestamp_seconds", "When a full pass last proved all tables equal.");
  each([&](const Labels& labels, const FullPass& pass) { out.add(labels, pass.proven); });
  out.gauge("pgtandem_full_sync_running", "1 while a full pass runs.");
  each([&](const Labels& labels, const FullPass& pass) { out.add(labels, flag(pass.running)); });
  out.gauge("pgtandem_full_sync_exit_code", "Exit code of the last full pass.");
  each([&](const Labels& labels, const FullPass& pass) { out.add_known(labels, pass.exit_code); });
  out.gauge("pgtandem_full_sync_duration_seconds", "What the last full pass took.");
  each([&](const Labels& labels, const FullPass& pass) { out.add_known(labels, duration(pass.started, pass.ended)); });
  const Incremental& pass = at.incremental;
  out.gauge("pgtandem_incremental_sync_end_timestamp_seconds", "When the last incremental pass ended.");
  out.add({}, pass.ended);
  out.gauge("pgtandem_incremental_sync_exit_code", "Exit code of the last incremental pass.");
  out.add_known({}, pass.exit_code);
  out.gauge("pgtandem_incremental_sync_duration_seconds", "What the last incremental pass took.");
  out.add_known({}, duration(pass.started, pass.ended));
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot) {
  Metrics out;
  add_whole(out, snapshot);
  add_nodes(out, snapshot);
  add_slot(out, snapshot.slot);
  add_spool(out, snapshot);
  add_standbys(out, snapshot);
  add_passes(out, snapshot);
  return std::move(out).text();
}

}  // namespace report
