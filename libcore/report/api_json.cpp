#include "report/api_json.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "report/health.hpp"
#include "report/words.hpp"

namespace report {
namespace {

using Json = nlohmann::ordered_json;

// Names and messages are in whatever bytes servers and people gave them.
std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json time_json(const Time& time) { return time ? Json(base::iso_time(*time)) : Json(); }
Json text_json(const std::string& text) { return text.empty() ? Json() : Json(text); }
template <class Value>
Json known(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

// Clients of old read whole numbers as integers, and some refuse 300.0 for one.
Json number_json(double value) {
  constexpr double exact = 9007199254740992;  // above it not every integer is a double
  if (std::abs(value) < exact && std::trunc(value) == value) return static_cast<int64_t>(value);
  return value;
}

// As clients of old read it: whole seconds since 1970, 0 where there was none.
int64_t unix_seconds(const Time& time) { return time.value_or(0) / 1'000'000; }

Json findings_json(const Verdict& verdict) {
  Json out = Json::array();
  for (const Finding& finding : verdict.findings)
    out.push_back({{"level", name_of(finding.level)},
                   {"code", finding.code},
                   {"node", text_json(finding.node)},
                   {"what", finding.what},
                   {"mend", finding.mend},
                   {"since", time_json(finding.since)}});
  return out;
}

Json node_json(const Node& node) {
  return {{"role", name_of(node.role)},
          {"health_status", name_of(node.health)},
          {"priority", node.priority},
          {"replication_lag", known(node.replication_lag)},
          {"failure_count", node.failure_count},
          {"last_check", time_json(node.last_check)},
          {"last_error", text_json(node.last_error)},
          {"server", {{"host", node.host}, {"port", node.port}}},
          {"answers", node.server.reached()},
          {"answer_seconds", node.server.reached() ? Json(node.server.seconds) : Json()},
          {"server_version", node.server.version == 0 ? Json() : Json(node.server.version)},
          {"system_id", text_json(node.server.system_id)},
          {"in_recovery", known(node.server.in_recovery)},
          {"clock_skew", known(node.server.clock_skew)},
          {"lsn", text_json(node.server.lsn)},
          {"failure_threshold", node.failure_threshold},
          {"replication_lag_threshold", number_json(node.lag_threshold)}};
}

Json nodes_json(const Snapshot& at) {
  Json out = Json::object();
  for (const auto& [name, node] : at.nodes) out[name] = node_json(node);
  return out;
}

Json lag_json(const Standby& of) {
  return {{"applied_lsn", text_json(of.applied_lsn)},       {"applied_time", time_json(of.applied_time)},
          {"applied_to", text_json(of.applied_to)},         {"caught_up", of.caught_up},
          {"lag_seconds", known(of.lag_seconds)},           {"lag_bytes", known(of.lag_bytes)},
          {"lag_transactions", known(of.lag_transactions)}, {"operations", known(of.waiting)},
          {"oldest_pending", time_json(of.oldest_pending)}};
}

Json tables_json(const Standby& of) {
  Json out = Json::array();
  for (const TableState& table : of.tables)
    out.push_back({{"table", table.table},
                   {"equal", known(table.equal)},
                   {"why", text_json(table.why)},
                   {"time", time_json(table.time)},
                   {"lsn", text_json(table.lsn)},
                   {"rows", known(table.rows)},
                   {"last_equal_time", time_json(table.equal_time)},
                   {"last_equal_lsn", text_json(table.equal_lsn)}});
  return out;
}

Json full_json(const FullPass& pass) {
  return {{"running", pass.running},          {"started", time_json(pass.started)},
          {"ended", time_json(pass.ended)},   {"exit_code", known(pass.exit_code)},
          {"failed", text_json(pass.failed)}, {"message", text_json(pass.message)},
          {"proven", time_json(pass.proven)}, {"lsn", text_json(pass.lsn)},
          {"unproven", pass.unproven}};
}

Json incremental_json(const Incremental& pass) {
  return {{"running", pass.running},
          {"started", time_json(pass.started)},
          {"ended", time_json(pass.ended)},
          {"exit_code", known(pass.exit_code)},
          {"failed", text_json(pass.failed)}};
}

Json standby_json(const Snapshot& at, const Standby& of) {
  Json out = lag_json(of);
  out["lag_limit"] = lag_limit_of(at, of.node);
  out["applier_running"] = of.applier_running;
  out["error"] = text_json(of.error);
  out["operations_total"] = of.operations_total;
  out["rate"] = known(of.rate);
  out["success_rate"] = known(of.success_rate);
  out["retries"] = of.retries_total;
  out["conflicts"] = Json(of.conflicts);
  out["quarantined"] = of.quarantined;
  out["quarantined_total"] = of.quarantined_total;
  out["paused"] = Json::array();
  for (const PausedTable& table : of.paused)
    out["paused"].push_back({{"table", table.table}, {"reason", table.reason}, {"since", time_json(table.since)}});
  out["marked"] = Json::array();
  for (const MarkedTable& table : of.marked)
    out["marked"].push_back({{"table", table.table}, {"reason", table.reason}, {"time", time_json(table.time)}});
  out["tables"] = tables_json(of);
  out["full_sync"] = full_json(of.full);
  out["incremental_sync"] = incremental_json(of.incremental);
  return out;
}

Json slot_json(const Slot& slot) {
  return {{"name", slot.name},
          {"exists", known(slot.exists)},
          {"publication_exists", known(slot.publication_exists)},
          {"active", slot.exists ? Json(slot.active) : Json()},
          {"wal_status", text_json(slot.wal_status)},
          {"safe_wal_size", known(slot.safe_wal_size)},
          {"retained", known(slot.retained)},
          {"confirmed_lsn", text_json(slot.confirmed_lsn)},
          {"inactive_since", time_json(slot.inactive_since)}};
}

Json spool_json(const Snapshot& at) {
  const Spool& spool = at.spool;
  return {{"founded", spool.founded},
          {"error", text_json(spool.error)},
          {"full", spool.full},
          {"bytes", spool.bytes},
          {"max_bytes", spool.max_bytes},
          {"segments", spool.segments},
          {"free_bytes", known(spool.free_bytes)},
          {"disk_bytes", known(spool.disk_bytes)},
          {"operations_total", spool.operations_total},
          {"transactions_total", spool.transactions_total},
          {"capture_running", spool.capture_running},
          {"captured_to", text_json(spool.captured_to)},
          {"captured_to_time", time_json(spool.captured_to_time)},
          {"captured_lsn", text_json(spool.captured_lsn)},
          {"captured_time", time_json(spool.captured_time)},
          {"rate", known(spool.rate)},
          {"retries", at.capture_retries_total}};
}

// Where there are several standbys, what old fields say of one: of counts the sum, of shares the worst.
Standby together(const Snapshot& at) {
  Standby all;
  for (const auto& [name, of] : at.standbys) {
    all.retries_total += of.retries_total;
    all.quarantined += of.quarantined;
    for (const auto& [kind, count] : of.conflicts) all.conflicts[kind] += count;
    if (of.success_rate) all.success_rate = std::min(*of.success_rate, all.success_rate.value_or(1));
  }
  return all;
}

// Of all standbys, when the last pass proved everything; nothing as long as one never was.
Time last_full_sync(const Snapshot& at) {
  Time last;
  for (const auto& [name, of] : at.standbys) {
    if (!of.full.proven) return {};
    if (!last || of.full.proven < last) last = of.full.proven;
  }
  return last;
}

}  // namespace

std::string sync_status_json(const Snapshot& at) {
  const Standby* const of = at.slowest();
  const Standby none;
  const Standby& standby = of == nullptr ? none : *of;
  const Verdict& verdict = at.verdict;
  Json json = {{"sync_enabled", at.auto_sync_enabled},
               {"auto_sync_enabled", at.auto_sync_enabled},
               {"sync_queue_size", known(at.sync_queue_size)},
               {"last_full_sync", unix_seconds(last_full_sync(at))},
               {"full_sync_interval", number_json(at.limits.full_sync_interval)},
               {"current_primary", text_json(at.current_primary)},
               {"local_node", at.local_node},
               {"is_monitoring", at.is_monitoring},
               {"time", base::iso_time(at.time)},
               {"level", name_of(verdict.level)},
               {"line", verdict.line}};
  json.update(lag_json(standby));
  json.erase("operations");
  json["rate"] = known(standby.rate);
  const Standby all = together(at);
  json["success_rate"] = known(all.success_rate);
  json["retries"] = all.retries_total + at.capture_retries_total;
  json["conflicts"] = all.conflicts.empty() ? Json::object() : Json(all.conflicts);
  json["quarantined"] = all.quarantined;
  json["last_error"] = text_json(at.last_error);
  json["last_error_time"] = time_json(at.last_error_time);
  json["switched_by"] = text_json(at.switched_by);
  json["switched"] = time_json(at.switched);
  return dumped(json);
}

std::string status_json(const Snapshot& at) {
  return dumped({{"current_primary", text_json(at.current_primary)},
                 {"local_node", at.local_node},
                 {"nodes", nodes_json(at)},
                 {"sync_queue_size", known(at.sync_queue_size)},
                 {"is_monitoring", at.is_monitoring},
                 {"time", base::iso_time(at.time)}});
}

std::string replication_lag_json(const Snapshot& at) {
  Json nodes = Json::object();
  for (const auto& [name, of] : at.standbys) nodes[name] = lag_json(of);
  const auto primary = at.nodes.find(at.current_primary);
  return dumped({{"time", base::iso_time(at.time)},
                 {"current_primary", text_json(at.current_primary)},
                 {"primary_lsn", primary == at.nodes.end() ? Json() : text_json(primary->second.server.lsn)},
                 {"captured_to", text_json(at.spool.captured_to)},
                 {"nodes", nodes}});
}

std::string health_json(const Snapshot& at) {
  const Verdict& verdict = at.verdict;
  return dumped({{"status", name_of(verdict.level)},
                 {"exit_code", static_cast<int>(verdict.level)},
                 {"time", base::iso_time(at.time)},
                 {"line", verdict.line},
                 {"findings", findings_json(verdict)}});
}

std::string show_json(const Snapshot& at) {
  const Verdict& verdict = at.verdict;
  Json standbys = Json::object();
  for (const auto& [name, of] : at.standbys) standbys[name] = standby_json(at, of);
  Json events = Json::array();
  for (const Event& event : at.events)
    events.push_back({{"time", base::iso_time(event.time)}, {"level", event.level}, {"text", event.text}});
  return dumped({{"time", base::iso_time(at.time)},
                 {"version", at.version},
                 {"status", name_of(verdict.level)},
                 {"line", verdict.line},
                 {"findings", findings_json(verdict)},
                 {"auto_sync_enabled", at.auto_sync_enabled},
                 {"switched_by", text_json(at.switched_by)},
                 {"switched", time_json(at.switched)},
                 {"switch_reason", text_json(at.switch_reason)},
                 {"is_monitoring", at.is_monitoring},
                 {"by_services", at.by_services},
                 {"local_node", at.local_node},
                 {"current_primary", text_json(at.current_primary)},
                 {"sync_queue_size", known(at.sync_queue_size)},
                 {"oldest_pending", time_json(at.oldest_pending)},
                 {"nodes", nodes_json(at)},
                 {"slot", slot_json(at.slot)},
                 {"spool", spool_json(at)},
                 {"state_free_bytes", known(at.state_free_bytes)},
                 {"state_disk_bytes", known(at.state_disk_bytes)},
                 {"standbys", standbys},
                 {"incremental_sync", incremental_json(at.incremental)},
                 {"last_error", text_json(at.last_error)},
                 {"last_error_time", time_json(at.last_error_time)},
                 {"events", events},
                 {"limits",
                  {{"full_sync_interval", number_json(at.limits.full_sync_interval)},
                   {"incremental_sync_interval", number_json(at.limits.incremental_sync_interval)},
                   {"max_queue_size", at.limits.max_queue_size}}}});
}

}  // namespace report
