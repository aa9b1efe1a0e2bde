#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/files.hpp"
#include "config/filters.hpp"
#include "config/fingerprint.hpp"
#include "config/nearest.hpp"
#include "config/operations.hpp"
#include "config/section.hpp"
#include "config/settings.hpp"
#include "config/table_word.hpp"
#include "config/url.hpp"

namespace config {
namespace {

// A timeout ends up as milliseconds in an int, ours (poll) and the server's (statement_timeout): 24 days at most.
constexpr double most_timeout = 2e6;
constexpr double most_interval = 315360000;  // ten years: whoever writes more has taken the unit for another
constexpr double least_interval = 0.001;     // below a millisecond a wait is none, and a loop would spin

std::string read_content(const std::filesystem::path& file) {
  using base::Error, base::Exit;
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    throw Error(Exit::config, file.string() +
                                  ": no such file; write the configuration there (man pgtandem.yaml), or name it with "
                                  "--config or PGTANDEM_CONFIG");
  }
  if (S_ISDIR(found.st_mode)) throw Error(Exit::config, file.string() + ": a directory; name the file in it");
  if (::access(file.c_str(), R_OK) != 0 && errno == EACCES)
    throw Error(Exit::no_right, "cannot open " + file.string() +
                                    ": permission denied; run this as the user of the services (as a rule by sudo -u "
                                    "pgtandem), or let this user read it");
  const base::Fd fd = base::open_file(file, O_RDONLY);
  constexpr size_t most = 1 << 20;  // a thousand times what a configuration needs
  std::string content;
  char buffer[8192];
  while (const size_t n = base::read_some(fd.get(), buffer, sizeof buffer, file.string())) {
    content.append(buffer, n);
    if (content.size() > most)
      throw Error(Exit::config, file.string() + ": longer than 1 MiB; this is no configuration");
  }
  return content;
}

// Names of nodes become names of files and part of a slot's name.
void check_node_name(const Entry& entry, const Report& report) {
  const std::string& name = entry.key;
  const auto ends = [&](const std::string& tail) {
    return name.size() >= tail.size() && name.compare(name.size() - tail.size(), tail.size(), tail) == 0;
  };
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c >= 0x80 || std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
  if (name.empty() || name.size() > 100 || !plain || name[0] == '.' || ends(".lock") || ends(".new")) {
    report.fail(entry.place,
                "a node cannot be called " + show(name) +
                    "; use up to 100 letters, digits, _ and -, and dots within (.lock and .new are taken)");
  }
}

Node read_node(const Entry& entry, const Monitoring& monitoring, Report& report) {
  check_node_name(entry, report);
  Node node;
  node.failure_threshold = monitoring.failure_threshold;
  node.replication_lag_threshold = monitoring.replication_lag_threshold;
  node.name = entry.key;
  Section section(&entry.value, "nodes." + entry.key, report);
  section.require("role", "write role: primary or role: secondary");
  size_t role = 0;
  section.choice("role", role, {"primary", "secondary"});
  node.role = role == 0 ? Role::primary : Role::secondary;
  section.integer("priority", node.priority, 0, 1000000);
  section.seconds("connection_timeout", node.connection_timeout, least_interval, most_timeout);

  const Value& url = section.require("database_url", "write database_url: postgresql://user@host:5432/database");
  std::string why;
  if (url.kind != Value::Kind::text) section.refuse("database_url", url, "postgresql://user@host:5432/database");
  if (!normalize_url(url.text, node.database_url, why))
    report.fail(url.place, section.name("database_url") + " " + why);

  Section server = section.section("server");
  server.text("host", node.host);
  server.integer("port", node.port, 1, 65535);
  server.integer("api_port", node.api_port, 1, 65535);
  server.unused({"location", "datacenter"});
  server.finish();

  // What old files carry.
  std::string name = node.name;
  const Value* named = section.text("name", name);
  if (named && name != node.name)
    report.warn(named->place, section.name("name") + " differs from its key, which counts");
  bool active = true;
  const Value* is_active = section.boolean("is_active", active);
  if (!active)
    report.warn(is_active->place, section.name("is_active") + " has no effect; remove the node to leave it out");
  read_thresholds(section, node.failure_threshold, node.replication_lag_threshold);
  section.unused({"max_connections", "sync_mode", "sync_timeout", "health_check_interval", "pool_size", "max_overflow",
                  "pool_recycle", "pool_pre_ping"});
  section.finish();
  return node;
}

void read_nodes(Section& top, Settings& settings) {
  Report& report = top.report();
  const Value& place = top.require("nodes", "write nodes: with a primary and a secondary");
  const Section nodes(&place, "nodes", report);
  if (nodes.entries().empty()) report.fail(place.place, "nodes is empty; write a primary and a secondary");
  std::vector<std::string> names;
  for (const Entry& entry : nodes.entries()) {
    const Node node = read_node(entry, settings.monitoring, report);
    for (const auto& [name, other] : settings.nodes) {
      if (other.database_url != node.database_url) continue;
      report.warn(entry.place, "nodes." + node.name + " has the same database_url as nodes." + name);
    }
    names.push_back(node.name);
    settings.nodes[node.name] = node;
  }
  const Value& local = top.require("local_node", "write the name of the node that this machine serves");
  top.text("local_node", settings.local_node);
  if (settings.nodes.count(settings.local_node) != 0) return;
  const std::string meant = nearest(settings.local_node, names);
  report.fail(local.place, "local_node is " + show(local.text) + ", which is none of the nodes; " +
                               (meant.empty() ? "write one of their names" : "did you mean \"" + meant + "\"?"));
}

void read_tables(Section& section, Synchronization& sync) {
  const Value& list = section.require("sync_tables", "write the tables to sync, as [images, categories]");
  if (list.kind != Value::Kind::list) section.refuse("sync_tables", list, "a list, as [images, categories]");
  if (list.items.empty()) section.report().fail(list.place, "sync_tables is empty; write the tables to sync");
  for (const Value& item : list.items) {
    const base::TableName table = read_table(item, "sync_tables", section.report());
    if (std::find(sync.sync_tables.begin(), sync.sync_tables.end(), table) == sync.sync_tables.end()) {
      sync.sync_tables.push_back(table);
    } else {
      section.report().warn(item.place, "sync_tables names " + table.text() + " twice");
    }
  }
}

void read_synchronization(Section& top, Synchronization& sync) {
  top.require("synchronization", "write synchronization: with its sync_tables");
  Section section = top.section("synchronization");
  section.boolean("auto_sync_enabled", sync.auto_sync_enabled);
  section.seconds("full_sync_interval", sync.full_sync_interval, least_interval, most_interval);
  section.seconds("incremental_sync_interval", sync.incremental_sync_interval, least_interval, most_interval);
  section.integer("batch_size", sync.batch_size, 1, 10000000);
  section.seconds("sync_interval", sync.sync_interval, least_interval, most_timeout);
  section.integer("max_retry_attempts", sync.max_retry_attempts, 0, 1000000);
  section.seconds("retry_delay", sync.retry_delay, 0, most_timeout);
  section.integer("max_queue_size", sync.max_queue_size, 1, int64_t{1} << 53);  // what a JSON number holds
  section.seconds("sync_timeout", sync.sync_timeout, least_interval, most_timeout);
  section.boolean("enable_compression", sync.enable_compression);
  section.boolean("verify_sync", sync.verify_sync);
  size_t policy = 0;
  const std::vector<std::string> policies = {"primary_wins", "standby_wins", "newest_wins", "stop"};
  const Value* conflict = section.choice("conflict_resolution", policy, policies);
  sync.conflict_resolution = static_cast<ConflictResolution>(policy);
  const Value* newest = section.text("newest_column", sync.newest_column);
  const bool compares = sync.conflict_resolution == ConflictResolution::newest_wins;
  if (compares && sync.newest_column.empty())
    section.report().fail(conflict->place, section.name("conflict_resolution") +
                                               ": newest_wins compares a column; name it in newest_column");
  if (!compares && newest != nullptr)
    section.report().warn(newest->place, section.name("newest_column") + " has no effect without newest_wins");
  read_tables(section, sync);
  section.finish();
}

void read_spool(Section& top, const std::filesystem::path& folder, SpoolSettings& spool) {
  Section section = top.section("spool");
  section.path("directory", spool.directory, folder);
  section.size("max_bytes", spool.max_bytes);
  section.boolean("strict", spool.strict);
  section.seconds("retain", spool.retain, 0, most_interval);
  section.integer("max_dead", spool.max_dead, 0, int64_t{1} << 53);
  section.finish();
}

void read_schema_drift(Section& top, Settings& settings) {
  const std::vector<std::string> words = {"stop", "common_columns", "follow"};
  size_t word = 0;
  top.choice("schema_drift", word, words);
  settings.schema_drift = static_cast<SchemaDrift>(word);
}

void read_logging(Section& top, const std::filesystem::path& folder, LoggingSettings& logging) {
  Section section = top.section("logging");
  const std::vector<std::string> levels = {"debug", "info", "warn", "error", "warning"};  // the last is Python's
  const std::vector<std::string> formats = {"text", "json"};
  size_t level = 1;
  size_t format = 0;
  section.choice("level", level, levels);
  section.choice("format", format, formats);
  logging.level = level == 4 ? "warn" : levels[level];
  logging.format = formats[format];
  section.path("file", logging.file, folder, true);
  section.finish();
}

Hooks read_hooks(Section& top, const std::filesystem::path& folder) {
  Section section = top.section("hooks");
  Hooks hooks;
  section.program("on_sync_complete", hooks.on_sync_complete, folder);
  section.program("on_failure", hooks.on_failure, folder);
  section.program("on_conflict", hooks.on_conflict, folder);
  section.program("on_alert", hooks.on_alert, folder);
  section.finish();
  return hooks;
}

}  // namespace

Settings load(const std::filesystem::path& file) {
  Report report{file.string(), {}, {}};
  const Value document = parse_yaml(read_content(file), report.file);
  Settings settings;
  settings.file = std::filesystem::absolute(file).lexically_normal();
  settings.fingerprint = fingerprint(document);
  const std::filesystem::path folder = settings.file.parent_path();

  Section top(&document, "", report);
  settings.monitoring = read_monitoring(top);
  read_nodes(top, settings);
  read_synchronization(top, settings.synchronization);
  read_spool(top, folder, settings.spool);
  Section state = top.section("state");
  state.path("directory", settings.state_directory, folder);
  state.finish();
  read_schema_drift(top, settings);
  read_logging(top, folder, settings.logging);
  settings.full_sync = read_full_sync(top);
  settings.api = read_api(top, folder, settings.nodes.at(settings.local_node).api_port);
  settings.filters = read_filters(top, folder, settings.synchronization.sync_tables);
  settings.hooks = read_hooks(top, folder);
  settings.alerts = read_alerts(top);
  top.finish();

  settings.warnings = std::move(report.warnings);
  settings.notes = std::move(report.notes);
  return settings;
}

}  // namespace config
