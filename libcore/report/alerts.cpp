#include "report/alerts.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/feed.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/size_text.hpp"
#include "base/spare.hpp"
#include "report/health.hpp"
#include "report/words.hpp"

namespace report {
namespace {

using nlohmann::ordered_json;

constexpr double disk_percent = 10;  // free, below which it is raised where no threshold is given
constexpr double patience = 5;       // s that the program may take: a check is given 10 as a rule, and the look takes 3

std::string key_of(const Alarm& alarm) { return alarm.kind + "/" + alarm.node; }

std::string dumped(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json alarm_json(const Alarm& alarm) {
  return {{"alert", alarm.kind},
          {"node", alarm.node.empty() ? ordered_json() : ordered_json(alarm.node)},
          {"what", alarm.what},
          {"value", alarm.value},
          {"threshold", alarm.threshold}};
}

std::string memory_text(const Memory& memory) {
  ordered_json json = ordered_json::array();
  for (const auto& [key, told] : memory) {
    ordered_json entry = alarm_json(told.alarm);
    entry["standing"] = told.standing;
    entry["raised"] = told.raised;
    entry["since"] = base::iso_time(told.since);
    entry["raised_at"] = base::iso_time(told.raised_at);
    json.push_back(std::move(entry));
  }
  return dumped(json);
}

// One that is garbage costs that alerts which stand are told once more.
Memory memory_of(const std::filesystem::path& file) {
  Memory memory;
  try {
    const std::optional<std::string> text = base::read_file(file);
    if (!text) return memory;
    for (const ordered_json& entry : ordered_json::parse(*text)) {
      Told told;
      told.alarm.kind = entry.at("alert");
      if (!entry.at("node").is_null()) told.alarm.node = entry.at("node");
      told.alarm.what = entry.at("what");
      told.alarm.value = entry.at("value");
      told.alarm.threshold = entry.at("threshold");
      told.standing = entry.at("standing");
      told.raised = entry.at("raised");
      told.since = base::parse_iso_time(entry.at("since").get_ref<const std::string&>());
      told.raised_at = base::parse_iso_time(entry.at("raised_at").get_ref<const std::string&>());
      memory[key_of(told.alarm)] = std::move(told);
    }
  } catch (const nlohmann::json::exception&) {
    base::log(base::Level::warn, file.string() + " is damaged and begun anew; alerts that stand are raised again");
    memory.clear();
  }
  return memory;
}

// How full a disk is, in the words of the threshold: percent or bytes that are free.
std::optional<double> free_of(const config::Alert& alert, const std::optional<uint64_t>& free,
                              const std::optional<uint64_t>& size) {
  if (!free || size.value_or(0) == 0) return {};
  const auto bytes = static_cast<double>(*free);
  return alert.is_bytes ? bytes : 100 * bytes / static_cast<double>(*size);
}

void disk_alarm(const config::Alert& alert, const Snapshot& at, std::vector<Alarm>& out) {
  const double threshold = alert.threshold.value_or(disk_percent);
  const std::optional<double> spool = free_of(alert, at.spool.free_bytes, at.spool.disk_bytes);
  const std::optional<double> state = free_of(alert, at.state_free_bytes, at.state_disk_bytes);
  const bool of_state = state && at.state_disk_apart && (!spool || *state < *spool);
  const std::optional<double>& value = of_state ? state : spool;
  if (value && *value >= threshold) return;
  const std::optional<uint64_t>& left = of_state ? at.state_free_bytes : at.spool.free_bytes;
  out.push_back({"disk_space", "",
                 std::string("the disk of the ") + (of_state ? "state directory" : "spool") + " has " +
                     base::size_text(left.value_or(0)) + " left",
                 value.value_or(0), threshold, value.has_value()});
}

}  // namespace

std::vector<Alarm> alarms(const config::Alerts& alerts, const Snapshot& at) {
  std::vector<Alarm> out;
  // Above the threshold is so; where only bounds are known nobody can tell while the threshold lies between them.
  const auto raise = [&](const char* kind, const std::string& node, double least, double most, double preset,
                         const std::string& what) {
    const auto alert = alerts.find(kind);
    if (alert == alerts.end()) return;
    const double threshold = alert->second.threshold.value_or(preset);
    if (most > threshold) out.push_back({kind, node, what, least, threshold, least > threshold});
  };
  constexpr double anything = std::numeric_limits<double>::infinity();
  if (const auto alert = alerts.find("database_down"); alert != alerts.end())
    for (const auto& [name, node] : at.nodes) {
      // One that does not answer is not back, whatever became of the counting.
      if (node.server.reached() && node.failure_count == 0) continue;
      const auto count = static_cast<double>(node.failure_count);
      const double threshold = alert->second.threshold.value_or(static_cast<double>(node.failure_threshold));
      out.push_back(
          {"database_down", name,
           name + " did not answer at " + count_words(node.failure_count, "look") + " in a row: " + node.server.error,
           count, threshold, count >= threshold});
    }
  for (const auto& [name, of] : at.standbys) {
    raise("replication_lag", name, of.lag_seconds.value_or(0), of.lag_seconds.value_or(anything),
          lag_limit_of(at, name), name + " is " + span_words(of.lag_seconds.value_or(0)) + " behind");
    size_t different = 0;
    size_t untold = 0;
    for (const TableState& table : of.tables) {
      if (!table.equal) ++untold;
      if (!table.equal.value_or(true)) ++different;
    }
    raise("verify", name, static_cast<double>(different), static_cast<double>(different + untold), 0,
          count_words(different, "table") + " not equal on " + name);
  }
  const auto queue = static_cast<double>(at.sync_queue_size.value_or(0));
  raise("queue", "", queue, at.sync_queue_size ? queue : anything, static_cast<double>(at.limits.max_queue_size),
        count_words(at.sync_queue_size.value_or(0), "operation") + " in the queue");
  if (const auto alert = alerts.find("disk_space"); alert != alerts.end()) disk_alarm(alert->second, at, out);
  return out;
}

std::vector<AlertEvent> changes(const config::Alerts& alerts, const std::vector<Alarm>& now, int64_t time,
                                Memory& memory) {
  std::vector<AlertEvent> events;
  for (auto& [key, told] : memory)
    if (std::none_of(now.begin(), now.end(), [&, &of = key](const Alarm& alarm) { return key_of(alarm) == of; }))
      told.standing = false;
  for (const Alarm& alarm : now) {
    if (!alarm.known) continue;
    Told& told = memory[key_of(alarm)];
    if (!told.standing) told.since = time;
    told.standing = true;
    told.alarm = alarm;
    const auto alert = alerts.find(alarm.kind);
    const double cooldown = alert == alerts.end() ? 0 : alert->second.cooldown;
    const bool cold = told.raised_at == 0 || seconds_between(told.raised_at, time) >= cooldown;
    if (told.raised || !cold) continue;
    told.raised = true;
    told.raised_at = time;
    events.push_back({alarm, true, time, told.since});
  }
  for (auto told = memory.begin(); told != memory.end();) {
    Told& of = told->second;
    if (!of.standing && of.raised) {
      of.raised = false;
      events.push_back({of.alarm, false, time, of.since});
    }
    // What is over is remembered for as long as it may not be raised again.
    const auto alert = alerts.find(of.alarm.kind);
    const double cooldown = alert == alerts.end() ? 0 : alert->second.cooldown;
    const bool over = !of.standing && seconds_between(of.raised_at, time) >= cooldown;
    told = over ? memory.erase(told) : std::next(told);
  }
  return events;
}

std::string event_line(const AlertEvent& event) {
  ordered_json json = {{"event", event.raised ? "raised" : "cleared"}, {"time", base::iso_time(event.time)}};
  json.update(alarm_json(event.alarm));
  json["since"] = base::iso_time(event.since);
  return dumped(json);
}

void run_alerts(const config::Settings& settings, const Snapshot& snapshot) {
  const std::filesystem::path file = settings.state_directory / "alerts.json";
  std::error_code unknown;  // whoever may not look there is told so by what follows
  if (settings.alerts.empty() && !std::filesystem::exists(file, unknown)) return;
  base::make_directories(settings.state_directory);
  const base::FileLock lock(settings.state_directory / "alerts.lock", "status health");
  Memory memory = memory_of(file);
  const std::vector<AlertEvent> events =
      changes(settings.alerts, alarms(settings.alerts, snapshot), snapshot.time, memory);
  std::string lines;
  for (const AlertEvent& event : events) {
    base::log(
        event.raised ? base::Level::warn : base::Level::info,
        std::string("alert ") + event.alarm.kind + (event.raised ? " raised: " : " cleared: ") + event.alarm.what);
    lines += event_line(event);
  }
  const std::vector<std::string>& program = settings.hooks.on_alert;
  if (!lines.empty() && !program.empty()) {
    const std::string why = base::feed_program(program, lines, patience, -1, "status");
    if (!why.empty()) {
      base::log(base::Level::warn, "hook on_alert: " + why + "; it is told the same again the next time");
      return;
    }
  }
  // Also when the disk is full, or the same would be told again at each look.
  base::replace_spared(file, memory_text(memory), base::Durable::yes);
}

}  // namespace report
