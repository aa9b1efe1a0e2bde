#include <nlohmann/json.hpp>

#include "config/settings.hpp"

namespace config {
namespace {

using nlohmann::ordered_json;

// 300 rather than 300.0, which shells would stumble over.
ordered_json number(double value) {
  const auto whole = static_cast<int64_t>(value);
  if (static_cast<double>(whole) == value) return whole;
  return value;
}

const char* drift_name(SchemaDrift drift) {
  return drift == SchemaDrift::stop ? "stop" : drift == SchemaDrift::common_columns ? "common_columns" : "follow";
}

ordered_json node_json(const Node& node) {
  ordered_json server = {{"host", node.host}, {"port", node.port}, {"api_port", nullptr}};
  if (node.api_port != 0) server["api_port"] = node.api_port;
  return {{"role", node.role == Role::primary ? "primary" : "secondary"},
          {"priority", node.priority},
          {"server", server},
          {"database_url", redact(node.database_url)},
          {"connection_timeout", number(node.connection_timeout)},
          {"failure_threshold", node.failure_threshold},
          {"replication_lag_threshold", number(node.replication_lag_threshold)}};
}

ordered_json synchronization_json(const Synchronization& sync) {
  ordered_json tables = ordered_json::array();
  for (const base::TableName& table : sync.sync_tables) tables.push_back(table.text());
  return {{"auto_sync_enabled", sync.auto_sync_enabled},
          {"full_sync_interval", number(sync.full_sync_interval)},
          {"incremental_sync_interval", number(sync.incremental_sync_interval)},
          {"batch_size", sync.batch_size},
          {"sync_interval", number(sync.sync_interval)},
          {"max_retry_attempts", sync.max_retry_attempts},
          {"retry_delay", number(sync.retry_delay)},
          {"max_queue_size", sync.max_queue_size},
          {"sync_timeout", number(sync.sync_timeout)},
          {"enable_compression", sync.enable_compression},
          {"verify_sync", sync.verify_sync},
          {"conflict_resolution", name_of(sync.conflict_resolution)},
          {"newest_column", sync.newest_column.empty() ? ordered_json() : ordered_json(sync.newest_column)},
          {"sync_tables", tables}};
}

ordered_json filters_json(const Filters& filters) {
  ordered_json out = ordered_json::object();
  for (const auto& [table, filter] : filters.tables) {
    ordered_json& shown = out[table.text()] = ordered_json::object();
    if (!filter.where.empty()) shown["where"] = filter.where;
    if (!filter.columns.empty()) shown["columns"] = filter.columns;
  }
  if (!filters.program.empty()) out["program"] = filters.program;
  return out;
}

ordered_json hooks_json(const Hooks& hooks) {
  ordered_json out = ordered_json::object();
  if (!hooks.on_sync_complete.empty()) out["on_sync_complete"] = hooks.on_sync_complete;
  if (!hooks.on_failure.empty()) out["on_failure"] = hooks.on_failure;
  if (!hooks.on_conflict.empty()) out["on_conflict"] = hooks.on_conflict;
  if (!hooks.on_alert.empty()) out["on_alert"] = hooks.on_alert;
  return out;
}

ordered_json full_sync_json(const FullSync& full_sync) {
  ordered_json scrub = number(full_sync.scrub_seconds);
  if (full_sync.scrub_seconds == 0) scrub = number(full_sync.scrub_share * 100).dump() + "%";
  return {{"scrub", scrub}, {"max_age", number(full_sync.max_age)}};
}

ordered_json api_json(const Api& api) {
  ordered_json token_file = nullptr;
  if (!api.token_file.empty()) token_file = api.token_file.string();
  return {
      {"listen", api.listen}, {"ports", api.ports}, {"token_file", token_file}, {"allowed_hosts", api.allowed_hosts}};
}

ordered_json alerts_json(const Alerts& alerts) {
  ordered_json out = ordered_json::object();
  for (const auto& [kind, alert] : alerts) {
    out[kind] = {{"cooldown", number(alert.cooldown)}};
    if (alert.threshold) out[kind][alert.is_bytes ? "threshold_bytes" : "threshold"] = number(*alert.threshold);
  }
  return out;
}

}  // namespace

std::string to_json(const Settings& settings) {
  ordered_json nodes = ordered_json::object();
  for (const auto& [name, node] : settings.nodes) nodes[name] = node_json(node);
  const SpoolSettings& spool = settings.spool;
  ordered_json log_file = nullptr;
  if (!settings.logging.file.empty()) log_file = settings.logging.file.string();
  const ordered_json json = {
      {"file", settings.file.string()},
      {"local_node", settings.local_node},
      {"nodes", nodes},
      {"synchronization", synchronization_json(settings.synchronization)},
      {"spool",
       {{"directory", spool.directory.string()},
        {"max_bytes", spool.max_bytes},
        {"strict", spool.strict},
        {"retain", number(spool.retain)},
        {"max_dead", spool.max_dead}}},
      {"state", {{"directory", settings.state_directory.string()}}},
      {"filters", filters_json(settings.filters)},
      {"hooks", hooks_json(settings.hooks)},
      {"schema_drift", drift_name(settings.schema_drift)},
      {"full_sync", full_sync_json(settings.full_sync)},
      {"api", api_json(settings.api)},
      {"alerts", alerts_json(settings.alerts)},
      {"monitoring", {{"health_check_interval", number(settings.monitoring.health_check_interval)}}},
      {"logging", {{"level", settings.logging.level}, {"format", settings.logging.format}, {"file", log_file}}}};
  // Names of files may be no UTF-8; they must not keep the rest from being shown.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace config
