// Alerts: the few states that somebody wants to be told of, raised once when they begin and cleared once when they end.
// Owns STATE/alerts.json, so that it is once across runs, too, and the lines that hooks.on_alert is fed. An alert that
// was told is not raised again within its cooldown, however often it comes and goes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "report/snapshot.hpp"

namespace report {

// What is so now, by the thresholds, or what nobody can tell now.
struct Alarm {
  std::string kind;  // database_down, replication_lag, queue, disk_space, verify
  std::string node;  // empty: of no single one
  std::string what;  // one line
  double value = 0;
  double threshold = 0;
  bool known = true;  // false: it may be so or not; what stands goes on, and nothing is raised or cleared
};
// Pure. Only kinds that `alerts` names.
std::vector<Alarm> alarms(const config::Alerts& alerts, const Snapshot& snapshot);

struct Told {
  Alarm alarm;
  bool standing = false;  // it is so, as far as was last seen
  bool raised = false;    // it was told that it is, and not yet that it is not
  int64_t since = 0;      // microseconds since 1970
  int64_t raised_at = 0;
};
using Memory = std::map<std::string, Told>;  // by kind and node

struct AlertEvent {
  Alarm alarm;
  bool raised = false;  // false: cleared
  int64_t time = 0;
  int64_t since = 0;  // when it began
};
// Pure: what is to be told now, and `memory` as it is then.
std::vector<AlertEvent> changes(const config::Alerts& alerts, const std::vector<Alarm>& now, int64_t time,
                                Memory& memory);

// A line of JSON, with its newline.
std::string event_line(const AlertEvent& event);

// The whole of it, once: with the memory from STATE/alerts.json, and hooks.on_alert for what changed. Where that
// program fails a warning says so, and the same is told again the next time. One run at a time.
void run_alerts(const config::Settings& settings, const Snapshot& snapshot);

}  // namespace report
