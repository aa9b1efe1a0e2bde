#include <algorithm>
#include <string>

#include "report/judges.hpp"
#include "report/words.hpp"

namespace report {
namespace {

std::string listed(const std::vector<std::string>& names) {
  constexpr size_t most = 3;
  std::string out;
  for (size_t i = 0; i < names.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > most ? out + " and " + std::to_string(names.size() - most) + " more" : out;
}

bool is_paused(const Standby& of, const std::string& table) {
  return std::any_of(of.paused.begin(), of.paused.end(),
                     [&](const PausedTable& other) { return other.table == table; });
}

void judge_tables(const Snapshot& at, const Standby& of, Findings& out) {
  std::vector<std::string> different;
  std::vector<std::string> never;
  std::string why;
  for (const TableState& table : of.tables) {
    if (table.equal && !*table.equal && !is_paused(of, table.table)) {
      different.push_back(table.table);
      why = table.why;
    }
    if (!table.equal_time) never.push_back(table.table);
  }
  if (!different.empty())
    out.push_back({Level::critical, "tables_different", of.node,
                   listed(different) + (different.size() == 1 ? " is" : " are") + " not equal on " + of.node +
                       (why.empty() ? "" : ": " + why),
                   full_pass(at, of.node)});
  for (const PausedTable& paused : of.paused)
    out.push_back({Level::critical, "table_paused", of.node,
                   "table " + paused.table + " is paused on " + of.node +
                       (paused.since ? " since " + moment_words(paused.since) : "") + ": " + paused.reason,
                   "make the table fit there, as the reason says; its changes then follow by themselves, or at once by "
                   "pgtandem apply" +
                       node_option(at, of.node),
                   paused.since});
  if (!of.marked.empty()) {
    std::vector<std::string> names;
    for (const MarkedTable& marked : of.marked) names.push_back(marked.table);
    out.push_back({Level::warning, "tables_marked", of.node,
                   listed(names) + (names.size() == 1 ? " is" : " are") +
                       " marked for the next full pass: " + of.marked.front().reason,
                   full_pass(at, of.node)});
  }
  if (different.empty() && !never.empty() && !of.full.running && at.spool.founded)
    out.push_back({Level::warning, "never_proven", of.node,
                   listed(never) + (never.size() == 1 ? " was" : " were") + " never proven equal on " + of.node,
                   full_pass(at, of.node)});
}

void judge_lag(const Snapshot& at, const Standby& of, Findings& out) {
  const double limit = lag_limit_of(at, of.node);
  if (!at.auto_sync_enabled || of.caught_up || !of.lag_seconds || *of.lag_seconds <= limit) return;
  const bool waits = of.waiting.value_or(0) > 0;
  // Right after the sync was enabled again it is as far behind as it was disabled for, and that is known.
  const bool resumed = at.switched && seconds_between(*at.switched, at.time) <= limit;
  const bool much = *of.lag_seconds > much_lag * limit && !resumed;
  out.push_back({much ? Level::critical : Level::warning, "lag", of.node,
                 of.node + " is " + (waits ? "" : "perhaps ") + span_words(*of.lag_seconds) + " behind" +
                     (waits ? ", with " + count_words(*of.waiting, "operation") + " in the queue"
                            : ": that long nothing has been captured"),
                 waits ? (of.applier_running ? "look at the load and the locks of " + of.node +
                                                   "; pgtandem queue stat tells whether it gets less"
                                             : "pgtandem apply" + node_option(at, of.node))
                       : incremental_pass(at, of.node)});
}

// Tables that were proven once, and then nobody looked again, whoever had proven them.
void judge_proofs(const Snapshot& at, const Standby& of, double patience, Findings& out) {
  std::vector<std::string> old;
  Time oldest;
  for (const TableState& table : of.tables) {
    const bool told = !table.equal.value_or(false) || is_paused(of, table.table);
    if (told || !table.equal_time || seconds_between(*table.equal_time, at.time) <= at.limits.max_age + patience)
      continue;
    old.push_back(table.table);
    if (!oldest || table.equal_time < oldest) oldest = table.equal_time;
  }
  if (old.empty()) return;
  out.push_back({Level::warning, "proofs_old", of.node,
                 listed(old) + (old.size() == 1 ? " was" : " were") + " last proven equal on " + of.node + " at " +
                     moment_words(oldest) + "; full_sync.max_age is " + span_words(at.limits.max_age),
                 full_pass(at, of.node) + "; systemctl status pgtandem-full.timer, or cron, tells why none ran"});
}

void judge_full_pass(const Snapshot& at, const Standby& of, Findings& out) {
  // Twice the interval: one pass may be late; and the time of one, which is not known beforehand.
  const double patience = 2 * at.limits.full_sync_interval + 60;
  // One table may take hours, and tells nothing until it is done.
  const double hangs_after = std::max(10 * at.limits.full_sync_interval, 6.0 * 3600);
  const FullPass& pass = of.full;
  const bool linking = pass.failed.ends_with(" init");  // what a plain pass would miss is what that one makes
  if (pass.exit_code && *pass.exit_code > 1 && !pass.running)
    out.push_back(
        {Level::warning, "full_pass_failed", of.node,
         "the last full pass failed at " + moment_words(pass.ended) + ": " +
             (pass.message.empty() ? pass.failed + " ended with " + std::to_string(*pass.exit_code) : pass.message),
         (linking ? "pgtandem sync-full --init" + node_option(at, of.node) : full_pass(at, of.node)) +
             ", and read what it says",
         pass.ended});
  if (pass.running && pass.progress && seconds_between(*pass.progress, at.time) > hangs_after)
    out.push_back({Level::warning, "full_pass_hangs", of.node,
                   "a full pass runs since " + moment_words(pass.started) +
                       " and has left no trace of its work since " + moment_words(pass.progress),
                   "look for what it waits for, locks and load on both servers; full.lock in the state directory names "
                   "its process, and once that is stopped the next pass goes on",
                   pass.progress});
  if (!at.auto_sync_enabled || pass.running || !at.spool.founded) return;
  const double since = pass.proven ? seconds_between(*pass.proven, at.time) : 0;
  if (since <= patience)
    judge_proofs(at, of, patience, out);
  else
    out.push_back({Level::warning, "full_pass_overdue", of.node,
                   "the last full pass that proved all tables is " + span_words(since) + " old; one is due every " +
                       span_words(at.limits.full_sync_interval),
                   full_pass(at, of.node) + "; systemctl status pgtandem-full.timer, or cron, tells why none ran"});
}

}  // namespace

double lag_limit_of(const Snapshot& at, const std::string& node) {
  constexpr double least_interval = 60;  // s: cron starts nothing more often, whatever the configuration says
  const auto found = at.nodes.find(node);
  const double threshold = found == at.nodes.end() ? Node{}.lag_threshold : found->second.lag_threshold;
  const auto standby = at.standbys.find(node);
  if (at.by_services || standby == at.standbys.end()) return threshold;
  const Incremental& pass = standby->second.incremental;
  if (!pass.started || !pass.ended) return threshold;
  return std::max(threshold, 2 * std::max(at.limits.incremental_sync_interval, least_interval) +
                                 seconds_between(*pass.started, *pass.ended));
}

void judge_standbys(const Snapshot& at, Findings& out) {
  for (const auto& [name, of] : at.standbys) {
    if (!of.error.empty() && at.spool.founded)
      out.push_back({Level::critical, "standby_not_set_up", name, of.error,
                     "pgtandem sync-full --init" + node_option(at, name) + ", or what that one names"});
    if (of.quarantined > 0)
      out.push_back({Level::critical, "quarantine", name,
                     count_words(of.quarantined, "operation") + " could not be written to " + name +
                         (of.quarantined == 1 ? " and waits" : " and wait") + " in quarantine",
                     "pgtandem queue dead list; when its cause is mended, pgtandem queue dead retry all"});
    judge_tables(at, of, out);
    judge_lag(at, of, out);
    judge_full_pass(at, of, out);
  }
}

}  // namespace report
