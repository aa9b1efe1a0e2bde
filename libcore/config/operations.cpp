#include "config/operations.hpp"

namespace config {
namespace {

constexpr double most_seconds = 315360000;  // ten years: whoever writes more has taken the unit for another

// "5%" is a share, 30 are seconds.
void read_scrub(Section& section, FullSync& to) {
  const Value* scrub = section.get("scrub");
  if (scrub == nullptr) return;
  double number = 0;
  const bool is_text = scrub->kind == Value::Kind::text;
  const bool is_share = is_text && !scrub->text.empty() && scrub->text.back() == '%';
  const std::string digits = is_share ? scrub->text.substr(0, scrub->text.size() - 1) : scrub->text;
  if (!is_text || !parse_number(digits, number) || number < 0 || number > (is_share ? 100 : most_seconds))
    section.refuse("scrub", *scrub, "a share of the table as 5%, or seconds as 30");
  to.scrub_share = is_share ? number / 100 : 0;
  to.scrub_seconds = is_share ? 0 : number;
}

// Percent or bytes that must stay free for the disk, a number for all others.
void read_threshold(Section& section, bool of_disk, Alert& to) {
  const Value* threshold = section.get("threshold");
  if (threshold == nullptr) return;
  double number = 0;
  const bool plain = threshold->kind == Value::Kind::text && !threshold->quoted;
  if (plain && parse_number(threshold->text, number) && number >= 0) {
    to.threshold = number;
  } else if (of_disk) {
    int64_t bytes = 0;
    section.size("threshold", bytes);
    to.threshold = static_cast<double>(bytes);
    to.is_bytes = true;
  } else {
    section.refuse("threshold", *threshold, "a number from 0 up");
  }
}

}  // namespace

FullSync read_full_sync(Section& top) {
  FullSync full_sync;
  Section section = top.section("full_sync");
  read_scrub(section, full_sync);
  section.seconds("max_age", full_sync.max_age, 1, most_seconds);
  section.finish();
  return full_sync;
}

Api read_api(Section& top, const std::filesystem::path& folder, int api_port) {
  Api to;
  if (api_port != 0 && api_port != to.ports.front()) to.ports.back() = api_port;
  Section api = top.section("api");
  api.text("listen", to.listen);
  if (const Value* ports = api.get("ports")) {
    if (ports->kind != Value::Kind::list) api.refuse("ports", *ports, "a list, as [8000, 8001]");
    if (ports->items.empty()) api.refuse("ports", *ports, "at least one port, as [8000, 8001]");
    to.ports.clear();
    for (const Value& port : ports->items) {
      int64_t number = 0;
      const bool fits = port.kind == Value::Kind::text && !port.quoted && parse_integer(port.text, number);
      if (!fits || number < 1 || number > 65535) api.refuse("ports", port, "port numbers from 1 to 65535");
      to.ports.push_back(static_cast<int>(number));
    }
  }
  api.path("token_file", to.token_file, folder, true);
  api.texts("allowed_hosts", to.allowed_hosts);
  api.finish();
  return to;
}

Alerts read_alerts(Section& top) {
  Alerts to;
  Section alerts = top.section("alerts");
  for (const char* const name : {"database_down", "replication_lag", "queue", "disk_space", "verify"}) {
    const Value* given = alerts.get(name);
    if (given == nullptr) continue;
    Section section = alerts.section(name);
    Alert alert;
    bool enabled = true;
    section.boolean("enabled", enabled);
    section.seconds("cooldown", alert.cooldown, 0, 1e9);
    read_threshold(section, std::string(name) == "disk_space", alert);
    section.finish();
    if (enabled) to[name] = alert;
  }
  alerts.finish();
  return to;
}

void read_thresholds(Section& section, int& failure_threshold, double& replication_lag_threshold) {
  section.integer("failure_threshold", failure_threshold, 1, 1000000);
  section.seconds("replication_lag_threshold", replication_lag_threshold, 0, most_seconds);
}

Monitoring read_monitoring(Section& top) {
  Monitoring to;
  Section monitoring = top.section("monitoring");
  monitoring.seconds("health_check_interval", to.health_check_interval, 0.1, most_seconds);
  read_thresholds(monitoring, to.failure_threshold, to.replication_lag_threshold);
  monitoring.unused({"auto_failover", "performance_monitoring", "alerts", "notification"});
  monitoring.finish();
  top.unused({"api_server"});
  return to;
}

}  // namespace config
