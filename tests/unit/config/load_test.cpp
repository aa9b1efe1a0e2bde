// What a right configuration becomes: values, units, paths, defaults, and the notes about what is only accepted.
#include <catch2/catch.hpp>

#include "sample.hpp"

using Catch::Matchers::Contains;
using sample::load;
using sample::with;

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("the users' own file works as it is") {
  const config::Settings settings = config::load(PGTANDEM_SOURCE "/config/distributed_ha_config.yaml");
  CHECK(settings.warnings.empty());
  CHECK(settings.local_node == "backup_node");
  REQUIRE(settings.nodes.size() == 2);
  const config::Node& primary = settings.nodes.at("primary_node");
  CHECK(primary.name == "primary_node");
  CHECK(primary.role == config::Role::primary);
  CHECK(primary.database_url == "postgresql://pgtandem@primary.example.com:5432/image_crawler");
  CHECK(primary.connection_timeout == 30);
  CHECK(primary.host == "primary.example.com");
  CHECK(primary.port == 5432);
  CHECK(primary.api_port == 8001);
  CHECK(settings.api.ports == std::vector<int>{8000, 8001});
  const config::Synchronization& sync = settings.synchronization;
  CHECK(sync.auto_sync_enabled);
  CHECK(sync.full_sync_interval == 300);
  CHECK(sync.incremental_sync_interval == 10);
  CHECK(sync.batch_size == 100);
  CHECK(sync.sync_interval == 1);
  CHECK(sync.max_retry_attempts == 3);
  CHECK(sync.retry_delay == 5);
  CHECK(sync.max_queue_size == 1000);
  CHECK(sync.sync_timeout == 30);
  CHECK_FALSE(sync.enable_compression);
  CHECK(sync.verify_sync);
  CHECK(sync.conflict_resolution == config::ConflictResolution::primary_wins);
  CHECK(sync.sync_tables == std::vector<base::TableName>{{"public", "images"}, {"public", "categories"}});
}

TEST_CASE("the API answers where old files say that their clients ask, unless api.ports says otherwise") {
  const auto ports = [](const std::string& api_port, const std::string& more) {
    return load(
               "local_node: b\nnodes:\n  a: {role: primary, database_url: service=a, server: {api_port: 7000}}\n"
               "  b: {role: secondary, database_url: service=b" +
               api_port +
               "}\n"
               "synchronization: {sync_tables: [images]}\n" +
               more)
        .api.ports;
  };
  using Ports = std::vector<int>;
  CHECK(ports("", "") == Ports{8000, 8001});
  CHECK(ports(", server: {api_port: 9001}", "") == Ports{8000, 9001});
  CHECK(ports(", server: {api_port: 8000}", "") == Ports{8000, 8001});
  CHECK(ports(", server: {api_port: 9001}", "api: {ports: [8100]}\n") == Ports{8100});
}

TEST_CASE("old keys of nodes and monitoring are accepted and noted, not warned of") {
  const config::Settings settings = load(
      "local_node: \"b\"\n"
      "nodes:\n"
      "  a:\n"
      "    name: \"a\"\n"
      "    role: \"primary\"\n"
      "    server: {host: h, port: 5432, api_port: 8001, location: x, datacenter: y}\n"
      "    database_url: \"postgresql+psycopg2://postgres:hunter2@h:5432/image_crawler\"\n"
      "    max_connections: 100\n"
      "    sync_mode: \"async\"\n"
      "    sync_timeout: 10\n"
      "    is_active: true\n"
      "    pool_size: 20\n"
      "  b: {role: \"secondary\", database_url: service=b}\n"
      "monitoring: {health_check_interval: 5, replication_lag_threshold: 60, failure_threshold: 3, auto_failover: "
      "true,\n"
      "  performance_monitoring: {enabled: true}, alerts: {enabled: true}}\n"
      "api_server: {host: 0.0.0.0}\n"
      "alerts: {database_down: {enabled: true, threshold: 3, cooldown: 300}, disk_space: {threshold: 1GiB}}\n"
      "synchronization: {sync_tables: [\"images\"]}\n");
  CHECK(joined(settings.warnings).empty());
  CHECK(settings.nodes.at("a").database_url == "postgresql://postgres:hunter2@h:5432/image_crawler");
  CHECK_THAT(joined(settings.notes), Contains("nodes.a.max_connections") && Contains("monitoring.auto_failover"));
  CHECK_THAT(joined(settings.notes), !Contains("hunter2"));
}

TEST_CASE("everything that is left out has its default") {
  const config::Settings settings = load(with(7, ""));
  const config::Settings defaults;
  CHECK(settings.synchronization.batch_size == 100);
  CHECK(settings.spool.directory == "/var/spool/pgtandem");
  CHECK(settings.spool.max_bytes == int64_t{10} << 30);
  CHECK(settings.state_directory == "/var/lib/pgtandem");
  CHECK(settings.logging.level == "info");
  CHECK(settings.logging.format == "text");
  CHECK(settings.logging.file.empty());
  CHECK(settings.schema_drift == defaults.schema_drift);
  CHECK(joined(settings.warnings).empty());
  CHECK(joined(settings.notes).empty());
}

TEST_CASE("the new sections as the design shows them") {
  const config::Settings settings = load(
      with(8,
           "spool: {directory: /var/spool/pgtandem, max_bytes: 10GiB, strict: false, retain: 0, max_dead: 1000}\n"
           "state: {directory: /var/lib/pgtandem}\n"
           "api:   {listen: 127.0.0.1, ports: [8000, 8001], token_file: null, allowed_hosts: [localhost, 127.0.0.1, "
           "\"[::1]\"]}\n"
           "filters: {}         # TABLE: {where: \"…\", columns: […]}; program: [ARGV…]\n"
           "hooks: {}           # on_sync_complete, on_failure, on_conflict, on_alert: [ARGV…], fed JSON Lines\n"
           "alerts: {}          # database_down, replication_lag, queue, disk_space, verify: {threshold, cooldown}\n"
           "schema_drift: stop  # or common_columns, follow\n"
           "logging: {level: info, format: text, file: null}\n"));
  CHECK(joined(settings.warnings).empty());
}

TEST_CASE("filters: a condition and columns for a table, and a program") {
  const sample::Folder folder;
  const config::Settings settings = config::load(folder.write(
      "pg.yaml", with(8,
                      "filters:\n"
                      "  images: {where: \"is_downloaded AND width > 100\", columns: [id, Title, '\"Odd Name\"', id]}\n"
                      "  program: [filters/keep.py, --all]\n")));
  REQUIRE(settings.filters.tables.size() == 1);
  const config::TableFilter& filter = settings.filters.tables.at({"public", "images"});
  CHECK(filter.where == "is_downloaded AND width > 100");
  CHECK(filter.columns == std::vector<std::string>{"id", "title", "Odd Name"});
  CHECK(settings.filters.program == std::vector<std::string>{(folder.path() / "filters/keep.py").string(), "--all"});
  CHECK_THAT(joined(settings.warnings), Contains("filters.images.columns names \"id\" twice"));
  CHECK(load(with(8, "filters: {program: [jq, .]}")).filters.program[0] == "jq");
  CHECK(load(with(8, "filters: {}")).filters.tables.empty());
  CHECK(load(with(8, "schema_drift: follow")).schema_drift == config::SchemaDrift::follow);
}

TEST_CASE("the operator's sections: what a full pass may cost, the API, alerts, thresholds") {
  const config::Settings settings = load(
      with(3, "  a: {role: primary, database_url: service=a, failure_threshold: 7}") +
      "full_sync: {scrub: 2.5%, max_age: 7200}\n"
      "api: {listen: 0.0.0.0, ports: [9000], token_file: /etc/pgtandem/token, allowed_hosts: [backup.example.com]}\n"
      "alerts: {queue: {threshold: 50, cooldown: 60}, disk_space: {threshold: 1GiB}, verify: {}, "
      "database_down: {enabled: false}}\n"
      "monitoring: {failure_threshold: 2, replication_lag_threshold: 90, health_check_interval: 10}\n");
  CHECK(settings.full_sync.scrub_share == 0.025);
  CHECK(settings.full_sync.max_age == 7200);
  CHECK(settings.api.listen == "0.0.0.0");
  CHECK(settings.api.ports == std::vector<int>{9000});
  CHECK(settings.api.token_file == "/etc/pgtandem/token");
  CHECK(settings.api.allowed_hosts == std::vector<std::string>{"backup.example.com"});
  REQUIRE(settings.alerts.size() == 3);
  CHECK(settings.alerts.at("queue").threshold == 50);
  CHECK(settings.alerts.at("queue").cooldown == 60);
  CHECK(settings.alerts.at("disk_space").threshold == 1 << 30);
  CHECK(settings.alerts.at("disk_space").is_bytes);
  CHECK_FALSE(settings.alerts.at("verify").threshold.has_value());
  CHECK(settings.nodes.at("a").failure_threshold == 7);
  CHECK(settings.nodes.at("b").failure_threshold == 2);
  CHECK(settings.nodes.at("b").replication_lag_threshold == 90);
  CHECK(settings.monitoring.health_check_interval == 10);
  const config::FullSync seconds = load(with(8, "full_sync: {scrub: 30}")).full_sync;
  CHECK(seconds.scrub_seconds == 30);
  CHECK(seconds.scrub_share == 0);
  CHECK_THAT(joined(load(with(8, "full_sync: {scrub: 30}")).notes), !Contains("full_sync"));
}

TEST_CASE("what would change the meaning in silence gets a warning") {
  CHECK_THAT(joined(load(with(7, "  newest_column: updated_at")).warnings),
             Contains("pg.yaml:7:18: synchronization.newest_column has no effect without newest_wins"));
  CHECK_THAT(joined(load(with(8, "hooks: {on_failure: [/bin/mail]}")).warnings), !Contains("hooks"));
  CHECK_THAT(joined(load(with(3, "  a: {role: primary, is_active: false, database_url: service=a}")).warnings),
             Contains("nodes.a.is_active has no effect"));
  CHECK_THAT(joined(load(with(3, "  a: {role: primary, name: z, database_url: service=a}")).warnings),
             Contains("nodes.a.name differs from its key"));
  CHECK_THAT(joined(load(with(3, "  a: {role: primary, database_url: \"postgresql://u:hunter2@h2/d\"}")).warnings),
             Contains("nodes.b has the same database_url as nodes.a") && !Contains("hunter2"));
}

TEST_CASE("intervals may be fractions") {
  const config::Settings settings =
      load(with(7, "  sync_interval: 0.5\n  retry_delay: 0\n  sync_timeout: 1e2\n  max_retry_attempts: 0"));
  CHECK(settings.synchronization.sync_interval == 0.5);
  CHECK(settings.synchronization.retry_delay == 0);
  CHECK(settings.synchronization.sync_timeout == 100);
  CHECK(settings.synchronization.max_retry_attempts == 0);
}

TEST_CASE("booleans are the words that PyYAML took for them") {
  for (const char* const word : {"true", "True", "yes", "on", "ON"}) {
    CHECK(load(with(7, std::string("  enable_compression: ") + word)).synchronization.enable_compression);
  }
  for (const char* const word : {"false", "no", "Off"}) {
    CHECK_FALSE(load(with(7, std::string("  auto_sync_enabled: ") + word)).synchronization.auto_sync_enabled);
  }
}

TEST_CASE("relative paths count from the configuration's folder") {
  const sample::Folder folder;
  const std::string content = with(8,
                                   "spool: {directory: spool/}\nstate: {directory: ../state}\n"
                                   "logging: {file: log/x.log, level: WARNING, format: json}");
  const config::Settings settings = config::load(folder.write("pg.yaml", content));
  CHECK(settings.file == folder.path() / "pg.yaml");
  CHECK(settings.spool.directory == folder.path() / "spool");
  CHECK(settings.state_directory == folder.path().parent_path() / "state");
  CHECK(settings.logging.file == folder.path() / "log/x.log");
  CHECK(settings.logging.level == "warn");
  CHECK(settings.logging.format == "json");

  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const config::Settings relative = config::load("pg.yaml");
  std::filesystem::current_path(here);
  CHECK(relative.spool.directory == folder.path() / "spool");
}

TEST_CASE("tables are named as in SQL, once each and in the file's order") {
  const config::Settings settings = load(
      with(6, "  sync_tables: [shop.orders, Images, '\"Odd Name\"', public.images, '\"a.b\".\"c\"\"d\"', \"Users\"]"));
  const std::vector<base::TableName> expected = {
      {"shop", "orders"}, {"public", "images"}, {"public", "Odd Name"}, {"a.b", "c\"d"}, {"public", "users"}};
  CHECK(settings.synchronization.sync_tables == expected);
  CHECK_THAT(joined(settings.warnings), Contains("sync_tables names public.images twice"));
  CHECK_THAT(joined(settings.warnings), Contains("\"Users\" is taken for public.users"));
  CHECK(settings.warnings.size() == 2);
}

TEST_CASE("YAML's own shorthand works: anchors, merges, a byte order mark, DOS line ends") {
  const config::Settings settings = load(
      "\xef\xbb\xbflocal_node: b\r\ndefaults: &d {role: secondary, connection_timeout: 7}\r\nnodes:\r\n"
      "  a: {<<: *d, role: primary, database_url: service=a}\r\n  b: {<<: [*d], database_url: service=b}\r\n"
      "synchronization:\r\n  sync_tables: [images]\r\n");
  CHECK(settings.nodes.at("a").role == config::Role::primary);
  CHECK(settings.nodes.at("b").role == config::Role::secondary);
  CHECK(settings.nodes.at("b").connection_timeout == 7);
}

TEST_CASE("names in any script are names") {
  const config::Settings settings = load(
      "local_node: 备节点\nnodes:\n  主节点: {role: primary, database_url: service=a}\n"
      "  备节点: {role: secondary, database_url: service=b}\nsynchronization: {sync_tables: [图片]}\n");
  CHECK(settings.secondary().name == "备节点");
  CHECK(settings.synchronization.sync_tables[0].name == "图片");
}

TEST_CASE("a fingerprint tells an edit, and is blind to comments, blanks and the place of the file") {
  const uint64_t before = load(with(0, "")).fingerprint;
  CHECK(load(with(9, "# a comment")).fingerprint == before);
  CHECK(load(with(6, "  sync_tables:   [ images ]")).fingerprint == before);
  CHECK(load(with(7, "  batch_size: 101")).fingerprint != before);
  CHECK(load(with(6, "  sync_tables: [images, categories]")).fingerprint != before);
  CHECK(load(with(3, "  a: {role: primary, database_url: \"postgresql://u:hunter3@h/d\"}")).fingerprint != before);
  CHECK(load(with(9, "schema_drift: follow")).fingerprint != before);
  // What ends one word does not begin the next.
  CHECK(load(with(6, "  sync_tables: [ab, c]")).fingerprint != load(with(6, "  sync_tables: [a, bc]")).fingerprint);
}
