#include <algorithm>
#include <string>
#include <utility>

#include "report/judges.hpp"
#include "report/words.hpp"

namespace report {

std::string node_option(const Snapshot& at, const std::string& node) {
  return at.standbys.size() > 1 && !node.empty() ? " --node " + node : "";
}

std::string as_services(const Snapshot& at) {
  return "run this as the user of the services" +
         (at.services_user.empty() ? "" : " (sudo -u " + at.services_user + " pgtandem status)");
}

std::string full_pass(const Snapshot& at, const std::string& node) {
  return std::string("pgtandem sync-full") + (at.auto_sync_enabled ? "" : " --force") + node_option(at, node);
}

std::string incremental_pass(const Snapshot& at, const std::string& node) {
  const bool service = at.spool.capture_running && !at.incremental.running;
  if (service && !at.auto_sync_enabled) return "pgtandem status enable: capture waits for that";
  if (service)
    return "journalctl -u pgtandem-capture says what capture waits for, pgtandem queue stat whether the queue has "
           "room; "
           "systemctl restart pgtandem-capture begins it again";
  return std::string("pgtandem sync-incremental") + (at.auto_sync_enabled ? "" : " --force") + node_option(at, node);
}

namespace {

constexpr int busy = 75;
// s that a pass may be late, at the least: cron and timers of coarse accuracy start one a minute.
constexpr double least_patience = 120;

bool has_failed(const Snapshot& at, const Incremental& pass) {
  return pass.exit_code && *pass.exit_code > 1 && *pass.exit_code != busy && !pass.running && !at.by_services;
}

// What failed for all standbys, or where there is but one, is told once; else for each whose own pass failed.
void judge_passes(const Snapshot& at, Findings& out) {
  const auto tell = [&](const Incremental& pass, const std::string& node) {
    out.push_back(
        {Level::critical, "pass_failed", node,
         "the last incremental pass failed" + (node.empty() ? "" : " for " + node) + " at " + moment_words(pass.ended) +
             ": " + pass.failed + " ended with " + std::to_string(*pass.exit_code) +
             (at.last_error_time && pass.started && *at.last_error_time >= *pass.started ? ", " + at.last_error : ""),
         "pgtandem sync-incremental" + node_option(at, node) + ", and read what it says", pass.ended});
  };
  if (at.standbys.empty()) return;
  const Incremental& first = at.standbys.begin()->second.incremental;
  const bool common = std::all_of(at.standbys.begin(), at.standbys.end(), [&](const auto& entry) {
    const Incremental& pass = entry.second.incremental;
    return pass.ended == first.ended && pass.exit_code == first.exit_code && pass.failed == first.failed;
  });
  if (common && has_failed(at, first)) tell(first, "");
  if (common) return;
  for (const auto& [name, of] : at.standbys)
    if (has_failed(at, of.incremental)) tell(of.incremental, name);
}

// Of all standbys, the one that waits longest for a pass.
const Incremental& last_pass(const Snapshot& at) {
  const auto longest = std::min_element(at.standbys.begin(), at.standbys.end(), [](const auto& a, const auto& b) {
    return a.second.incremental.ended < b.second.incremental.ended;
  });
  return longest == at.standbys.end() ? at.incremental : longest->second.incremental;
}

void judge_running(const Snapshot& at, Findings& out) {
  judge_passes(at, out);
  const auto hangs = std::find_if(at.standbys.begin(), at.standbys.end(), [&](const auto& of) {
    return of.second.incremental.running && !moves(at, of.second.incremental);
  });
  if (hangs != at.standbys.end()) {
    const Time& since = hangs->second.incremental.progress;
    out.push_back(
        {Level::critical, "pass_hangs", "",
         "an incremental pass is at work, and nothing has come of it since " + moment_words(since),
         "look for what it waits for, locks and load on both servers; incremental.lock in the state directory "
         "names its process: stop that, then pgtandem sync-incremental, and read what it says",
         since});
    return;
  }
  if (at.is_monitoring) return;
  const Incremental& pass = last_pass(at);
  const bool capture = at.spool.capture_running;
  const bool several = at.standbys.size() > 1;
  size_t idle = 0;
  for (const auto& [name, of] : at.standbys) {
    if (of.applier_running) continue;
    ++idle;
    if (capture)
      out.push_back({Level::critical, "apply_stopped", name,
                     "apply does not run for " + name + ", while capture does: what is captured waits",
                     std::string("systemctl start ") + (several ? "its service" : "pgtandem-apply") +
                         ", or pgtandem apply --follow" + node_option(at, name)});
  }
  if (capture && idle > 0) return;
  if (!capture && !at.standbys.empty() && idle == 0)
    out.push_back({Level::critical, "capture_stopped", at.current_primary,
                   "capture does not run, while apply does: nothing new comes, and the primary keeps its WAL",
                   "systemctl start pgtandem-capture, or pgtandem capture --follow | pgtandem queue put"});
  else if (has_failed(at, pass) && ended_lately(at, pass))
    return;  // that it failed is all that is wrong with it
  else if (pass.exit_code == busy && ended_lately(at, pass))
    out.push_back({Level::critical, "pass_overdue", "",
                   "the last incremental pass found the slot or the queue in use at " + moment_words(pass.ended) +
                       " and brought nothing over, and no services run",
                   "pgtandem sync-incremental, and read what it says", pass.ended});
  else if (pass.ended)
    out.push_back({Level::critical, "pass_overdue", "",
                   "no incremental pass has ended since " + moment_words(pass.ended) + ", " +
                       span_words(seconds_between(*pass.ended, at.time)) + " ago; one is due every " +
                       span_words(at.limits.incremental_sync_interval),
                   "systemctl start pgtandem-incremental.timer, or look at cron; by hand: pgtandem sync-incremental",
                   pass.ended});
  else
    out.push_back(
        {Level::critical, "nothing_runs", "", "neither the services run, nor has a pass ever run",
         "pgtandem install-schedule systemd, or cron, which tells what to start; by hand: pgtandem sync-incremental"});
}

// Nobody reads it again by himself: in the middle of its work nothing may come to mean something else.
void judge_configuration(const Snapshot& at, Findings& out) {
  std::string names;
  std::string units;
  std::string error;
  for (const OutdatedService& service : at.outdated) {
    const bool serves = service.name == "serve";
    const bool one_of_several = at.standbys.size() > 1 && service.name.starts_with("apply.");
    const std::string tool = service.name.substr(0, service.name.find('.'));
    const std::string name = serves           ? "status serve"
                             : one_of_several ? "apply for " + service.name.substr(tool.size() + 1)
                                              : tool;
    names += (names.empty() ? "" : ", ") + name;
    units += one_of_several ? " (the unit of " + name + ")" : serves ? " pgtandem-status" : " pgtandem-" + tool;
    if (error.empty()) error = service.error;
  }
  if (names.empty()) return;
  const OutdatedService& first = at.outdated.front();
  out.push_back({Level::warning, "config_changed", "",
                 first.file + " was edited at " + moment_words(first.changed) +
                     ", and what runs goes by what stood there before: " + names +
                     (error.empty() ? "" : "; nothing could begin with it as it is now: " + error),
                 (error.empty() ? "systemctl restart" : "mend what is named there; then systemctl restart") + units +
                     ", or end and begin again what was started by hand",
                 first.changed});
}

}  // namespace

bool ended_lately(const Snapshot& at, const Incremental& pass) {
  if (!pass.started || !pass.ended) return false;
  const double patience = std::max(2 * at.limits.incremental_sync_interval, least_patience);
  // While the sync was disabled none was due.
  const int64_t from = at.auto_sync_enabled ? std::max(*pass.ended, at.switched.value_or(0)) : *pass.ended;
  return seconds_between(from, at.time) <= patience + seconds_between(*pass.started, *pass.ended);
}

bool moves(const Snapshot& at, const Incremental& pass) {
  // A large transaction is captured, and written, for long before anybody sees a trace of it.
  const double patience = std::max(2 * at.limits.incremental_sync_interval, 1800.0);
  return pass.running && (!pass.progress || seconds_between(*pass.progress, at.time) <= patience);
}

void judge_schedule(const Snapshot& at, Findings& out) {
  bool told = false;  // whoever may not read one may read none of them
  for (const Garbage& file : at.unreadable)
    if (file.no_right && std::exchange(told, true))
      continue;
    else if (file.no_right)
      out.push_back({Level::unknown, "state_unreadable", "", file.what,
                     as_services(at) + ", or let it read the state directory"});
    else
      // What was different may be so still, and nobody can tell.
      out.push_back({file.proofs ? Level::unknown : Level::warning, "state_garbage", "", file.what,
                     file.file.empty() ? "mend what is named there" : "rm " + file.file + "; it is written anew"});
  judge_configuration(at, out);
  if (!at.auto_sync_enabled) {
    const bool turned = !at.switched_by.empty();
    out.push_back({Level::warning, "sync_disabled", "",
                   "the sync is disabled " +
                       (turned ? "by " + at.switched_by + " since " + moment_words(at.switched)
                               : std::string("by auto_sync_enabled in the configuration")) +
                       ": the backup is not kept equal",
                   turned ? "pgtandem status enable" : "set auto_sync_enabled: true, or pgtandem status enable",
                   turned ? at.switched : Time()});
    return;
  }
  if (at.spool.founded) judge_running(at, out);
}

}  // namespace report
