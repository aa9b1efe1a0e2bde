#include <algorithm>
#include <string>

#include "report/judges.hpp"
#include "report/words.hpp"

namespace report {
namespace {

constexpr int busy = 75;
// s that a pass may be late, at the least: cron and timers of coarse accuracy start one a minute.
constexpr double least_patience = 120;

void judge_running(const Snapshot& at, Findings& out) {
  const Incremental& pass = at.incremental;
  const bool failed =
      pass.exit_code && *pass.exit_code > 1 && *pass.exit_code != busy && !pass.running && !at.by_services;
  if (failed)
    out.push_back(
        {Level::critical, "pass_failed", "",
         "the last incremental pass failed at " + moment_words(pass.ended) + ": " + pass.failed + " ended with " +
             std::to_string(*pass.exit_code) +
             (at.last_error_time && pass.started && *at.last_error_time >= *pass.started ? ", " + at.last_error : ""),
         "pgtandem sync-incremental, and read what it says"});
  if (at.is_monitoring) return;
  const bool capture = at.spool.capture_running;
  const auto idle = std::find_if(at.standbys.begin(), at.standbys.end(),
                                 [](const auto& entry) { return !entry.second.applier_running; });
  if (capture && idle != at.standbys.end())
    out.push_back({Level::critical, "apply_stopped", idle->first,
                   "apply does not run for " + idle->first + ", while capture does: what is captured waits",
                   "systemctl start pgtandem-apply, or pgtandem apply --follow"});
  else if (!capture && !at.standbys.empty() && idle == at.standbys.end())
    out.push_back({Level::critical, "capture_stopped", at.current_primary,
                   "capture does not run, while apply does: nothing new comes, and the primary keeps its WAL",
                   "systemctl start pgtandem-capture, or pgtandem capture --follow | pgtandem queue put"});
  else if (failed && ended_lately(at))
    return;  // that it failed is all that is wrong with it
  else if (pass.exit_code == busy && ended_lately(at))
    out.push_back({Level::critical, "pass_overdue", "",
                   "the last incremental pass found the slot or the queue in use at " + moment_words(pass.ended) +
                       " and brought nothing over, and no services run",
                   "pgtandem sync-incremental, and read what it says"});
  else if (pass.ended)
    out.push_back({Level::critical, "pass_overdue", "",
                   "no incremental pass has ended since " + moment_words(pass.ended) + ", " +
                       span_words(seconds_between(*pass.ended, at.time)) + " ago; one is due every " +
                       span_words(at.limits.incremental_sync_interval),
                   "systemctl start pgtandem-incremental.timer, or look at cron; by hand: pgtandem sync-incremental"});
  else
    out.push_back({Level::critical, "nothing_runs", "", "neither the services run, nor has a pass ever run",
                   "systemctl start pgtandem-capture pgtandem-apply, or a timer; by hand: pgtandem sync-incremental"});
}

}  // namespace

bool ended_lately(const Snapshot& at) {
  const Incremental& pass = at.incremental;
  if (!pass.started || !pass.ended) return false;
  const double patience = std::max(2 * at.limits.incremental_sync_interval, least_patience);
  return seconds_between(*pass.ended, at.time) <= patience + seconds_between(*pass.started, *pass.ended);
}

void judge_schedule(const Snapshot& at, Findings& out) {
  for (const Garbage& file : at.unreadable)
    out.push_back({Level::warning, "state_garbage", "", file.what,
                   file.file.empty()
                       ? "read it as the user of the services; where that may not either, mend what is named there"
                       : "rm " + file.file + "; it is written anew"});
  if (!at.auto_sync_enabled) {
    const bool turned = !at.switched_by.empty();
    out.push_back({Level::warning, "sync_disabled", "",
                   "the sync is disabled " +
                       (turned ? "by " + at.switched_by + " since " + moment_words(at.switched)
                               : std::string("by auto_sync_enabled in the configuration")) +
                       ": the backup is not kept equal",
                   turned ? "pgtandem status enable" : "set auto_sync_enabled: true, or pgtandem status enable"});
    return;
  }
  if (at.spool.founded) judge_running(at, out);
}

}  // namespace report
