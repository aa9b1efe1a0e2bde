#include "config/later.hpp"

#include <algorithm>

namespace config {
namespace {

// Notes that a section is not used yet, if there is anything in it.
void note_unused(Section& section, const std::string& key) {
  if (!section.entries().empty()) section.report().note(section.place(), key + " is not used yet");
}

}  // namespace

base::TableName read_table(const Value& value, const std::string& name, Report& report) {
  if (value.kind != Value::Kind::text) {
    report.fail(value.place, name + " holds " + show(value) + "; write table names, as [images, shop.orders]");
  }
  base::TableName table;
  std::string why;
  if (!base::parse_table_name(value.text, table, why)) {
    // YAML takes its own quotes away, SQL's must stand within them.
    report.fail(value.place, name + ": " + show(value.text) + " names no table, " + why +
                                 "; write images, shop.orders or '\"Odd Name\"'");
  }
  const bool upper = std::any_of(value.text.begin(), value.text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (value.quoted && upper && value.text.find('"') == std::string::npos) {
    report.warn(value.place, name + ": " + show(value.text) + " is taken for " + table.text() +
                                 ", as SQL does without quotes of its own; write '\"Name\"' to keep capitals");
  }
  return table;
}

void check_api(Section& top, const std::filesystem::path& folder) {
  Section api = top.section("api");
  std::string listen;
  std::filesystem::path token_file;
  std::vector<std::string> allowed_hosts;
  api.text("listen", listen);
  if (const Value* ports = api.get("ports")) {
    if (ports->kind != Value::Kind::list) api.refuse("ports", *ports, "a list, as [8000, 8001]");
    for (const Value& port : ports->items) {
      int64_t number = 0;
      const bool fits = port.kind == Value::Kind::text && !port.quoted && parse_integer(port.text, number);
      if (!fits || number < 1 || number > 65535) api.refuse("ports", port, "port numbers from 1 to 65535");
    }
  }
  api.path("token_file", token_file, folder, true);
  api.texts("allowed_hosts", allowed_hosts);
  api.finish();
  note_unused(api, "api");
}

void check_alerts(Section& top) {
  Section alerts = top.section("alerts");
  for (const char* const name : {"database_down", "replication_lag", "queue", "disk_space", "verify"}) {
    Section alert = alerts.section(name);
    bool enabled = true;
    double cooldown = 0;
    alert.boolean("enabled", enabled);
    alert.seconds("cooldown", cooldown, 0, 1e9);
    if (const Value* threshold = alert.get("threshold")) {
      double number = 0;
      const bool fits = threshold->kind == Value::Kind::text && !threshold->quoted &&
                        parse_number(threshold->text, number) && number >= 0;
      int64_t bytes = 0;  // disk_space counts percent, or bytes that must stay free
      if (!fits && std::string(name) == "disk_space") alert.size("threshold", bytes);
      if (!fits && bytes == 0) alert.refuse("threshold", *threshold, "a number from 0 up");
    }
    alert.finish();
  }
  alerts.finish();
  note_unused(alerts, "alerts");
}

void check_monitoring(Section& top) {
  Section monitoring = top.section("monitoring");
  monitoring.unused({"health_check_interval", "replication_lag_threshold", "failure_threshold", "auto_failover",
                     "performance_monitoring", "alerts", "notification"});
  monitoring.finish();
  top.unused({"api_server"});
}

}  // namespace config
