// The settings of one installation, checked: every value has its unit in its name or comment, every path is absolute.
// Plain values; config::load() makes them from YAML, tests make them by hand. Floor 1: knows no server and no spool.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/table_name.hpp"

namespace config {

enum class Role { primary, secondary };

struct Node {
  std::string name;
  Role role = Role::secondary;
  int priority = 1;
  std::string database_url;  // as libpq takes it: a SQLAlchemy "+driver" is already gone. HOLDS A PASSWORD, perhaps
  double connection_timeout = 30;  // s
  std::string host;                // server.host; for reports only, database_url decides where to connect
  int port = 5432;
  int api_port = 0;                       // 0: none given
  int failure_threshold = 3;              // failed looks in a row after which it counts as offline
  double replication_lag_threshold = 60;  // s behind above which it is not healthy
};

enum class ConflictResolution { primary_wins, standby_wins, newest_wins, stop };
const char* name_of(ConflictResolution policy);  // as in the file
enum class SchemaDrift { stop, common_columns, follow };

struct Synchronization {
  bool auto_sync_enabled = true;
  double full_sync_interval = 300;        // s
  double incremental_sync_interval = 10;  // s
  int batch_size = 100;                   // operations
  double sync_interval = 1;               // s
  int max_retry_attempts = 3;
  double retry_delay = 5;         // s
  int64_t max_queue_size = 1000;  // operations
  double sync_timeout = 30;       // s
  bool enable_compression = false;
  bool verify_sync = true;
  ConflictResolution conflict_resolution = ConflictResolution::primary_wins;
  std::string newest_column;                 // which newest_wins compares; empty under any other
  std::vector<base::TableName> sync_tables;  // in the file's order, no doubles, at least one
};

// What of a synced table is captured; at least one of the two is given.
struct TableFilter {
  std::string where;                 // an SQL condition, as the user wrote it; empty: every row
  std::vector<std::string> columns;  // unquoted, no doubles; empty: all of them
};

struct Filters {
  std::map<base::TableName, TableFilter> tables;  // each is one of sync_tables
  std::vector<std::string> program;  // and its arguments; reads change lines and prints those to keep. Empty: none
};

struct SpoolSettings {
  std::filesystem::path directory = "/var/spool/pgtandem";
  int64_t max_bytes = int64_t{10} << 30;
  bool strict = false;
  double retain = 0;  // s that applied segments are kept
  int64_t max_dead = 1000;
};

// Programs and their arguments; empty where there is none. One by a relative path counts from the file's folder.
struct Hooks {
  std::vector<std::string> on_sync_complete;
  std::vector<std::string> on_failure;
  std::vector<std::string> on_conflict;
  std::vector<std::string> on_alert;
};

// What a full pass may cost where nothing changed, and how old a row's last proof may become.
struct FullSync {
  double scrub_share = 0.05;  // of each table, a pass
  double scrub_seconds = 0;   // a pass, for all tables; above 0 it counts instead of the share
  double max_age = 86400;     // s
};

// The HTTP server of `status serve`.
struct Api {
  std::string listen = "127.0.0.1";
  std::vector<int> ports = {8000, 8001};
  std::filesystem::path token_file;  // empty: none
  std::vector<std::string> allowed_hosts = {"localhost", "127.0.0.1", "[::1]"};
};

// One kind of alert. Without a threshold its own default counts.
struct Alert {
  std::optional<double> threshold;  // failures, s, operations, percent or bytes free, tables: as the kind has it
  bool is_bytes = false;            // of disk_space: the threshold counts bytes rather than percent
  double cooldown = 300;            // s before it is raised again
};
// By kind: database_down, replication_lag, queue, disk_space, verify. One that is not in here is never raised.
using Alerts = std::map<std::string, Alert>;

// How nodes are watched; a node's own thresholds go before these.
struct Monitoring {
  double health_check_interval = 5;  // s
  int failure_threshold = 3;
  double replication_lag_threshold = 60;  // s
};

struct LoggingSettings {
  std::string level = "info";   // debug, info, warn, error
  std::string format = "text";  // text, json
  std::filesystem::path file;   // empty: stderr
};

struct Settings {
  std::filesystem::path file;  // where it was read; absolute
  uint64_t fingerprint = 0;  // of all that stood there, whatever it means; the same in two readings: nothing was edited
  std::string local_node;
  std::map<std::string, Node> nodes;
  Synchronization synchronization;
  Filters filters;
  Hooks hooks;
  SpoolSettings spool;
  std::filesystem::path state_directory = "/var/lib/pgtandem";
  SchemaDrift schema_drift = SchemaDrift::stop;
  FullSync full_sync;
  Api api;
  Alerts alerts;
  Monitoring monitoring;
  LoggingSettings logging;

  // Warnings and debug notes met while reading ("FILE:LINE:COLUMN: unknown key …"), for the caller to log.
  std::vector<std::string> warnings;
  std::vector<std::string> notes;

  // The node whose role is primary, or the primary called `node`. Throws Error(config) when there is none or several,
  // Error(usage) when `node` is unknown or a secondary.
  const Node& primary(const std::string& node = {}) const;
  // The secondary to work on: the one called `node`, else local_node if it is one, else the only one. Throws as
  // primary() does; a primary is never taken for one, whatever its name.
  const Node& secondary(const std::string& node = {}) const;
  // Names of all secondaries, in order.
  std::vector<std::string> secondaries() const;
};

// Reads and checks the file. Throws Error(config) "FILE:LINE:COLUMN: what; what to do", FILE as it is given here; never
// quotes a database_url, nor anything else that may hold a password.
Settings load(const std::filesystem::path& file);

// `--config`, else $PGTANDEM_CONFIG, else /etc/pgtandem/pgtandem.yaml.
std::filesystem::path find_file(const std::string& option);

// Bytes from "10GiB", "512 MiB", "64KiB" or a plain number; throws Error(config).
int64_t parse_size(const std::string& text);

// The URL or keyword string with every password replaced by "***", for messages. Safe on malformed text: what it cannot
// tell from a password it hides as well.
std::string redact(const std::string& database_url);

// The settings in effect as JSON (for `pgtandem config`); passwords redacted.
std::string to_json(const Settings& settings);

}  // namespace config
