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

void judge_tables(const Snapshot& at, const Standby& of, Findings& out) {
  std::vector<std::string> different;
  std::vector<std::string> never;
  std::string why;
  for (const TableState& table : of.tables) {
    const bool paused = std::any_of(of.paused.begin(), of.paused.end(),
                                    [&](const PausedTable& other) { return other.table == table.table; });
    if (table.equal && !*table.equal && !paused) {
      different.push_back(table.table);
      why = table.why;
    }
    if (!table.equal_time) never.push_back(table.table);
  }
  if (!different.empty())
    out.push_back({Level::critical, "tables_different", of.node,
                   listed(different) + (different.size() == 1 ? " is" : " are") + " not equal on " + of.node +
                       (why.empty() ? "" : ": " + why),
                   "pgtandem sync-full" + node_option(at, of.node)});
  for (const PausedTable& paused : of.paused)
    out.push_back({Level::critical, "table_paused", of.node,
                   "table " + paused.table + " is paused on " + of.node +
                       (paused.since ? " since " + moment_words(paused.since) : "") + ": " + paused.reason,
                   "make the table fit there, as the reason says; apply then goes on by itself, pgtandem apply" +
                       node_option(at, of.node) + " does now"});
  if (!of.marked.empty()) {
    std::vector<std::string> names;
    for (const MarkedTable& marked : of.marked) names.push_back(marked.table);
    out.push_back({Level::warning, "tables_marked", of.node,
                   listed(names) + (names.size() == 1 ? " is" : " are") +
                       " marked for the next full pass: " + of.marked.front().reason,
                   "pgtandem sync-full" + node_option(at, of.node)});
  }
  if (different.empty() && !never.empty() && !of.full.running && at.spool.founded)
    out.push_back({Level::warning, "never_proven", of.node,
                   listed(never) + (never.size() == 1 ? " was" : " were") + " never proven equal on " + of.node,
                   "pgtandem sync-full" + node_option(at, of.node)});
}

void judge_lag(const Snapshot& at, const Standby& of, Findings& out) {
  if (!at.auto_sync_enabled || of.caught_up || !of.lag_seconds || *of.lag_seconds <= lag_threshold_of(at, of.node))
    return;
  const bool waits = of.waiting > 0;
  out.push_back({Level::warning, "lag", of.node,
                 of.node + " is " + (waits ? "" : "perhaps ") + span_words(*of.lag_seconds) + " behind" +
                     (waits ? ", with " + count_words(of.waiting, "operation") + " in the queue"
                            : ": that long nothing has been captured"),
                 waits ? (of.applier_running ? "look at the load and the locks of " + of.node +
                                                   "; pgtandem queue stat tells whether it gets less"
                                             : "pgtandem apply" + node_option(at, of.node))
                       : "pgtandem sync-incremental" + node_option(at, of.node)});
}

void judge_full_pass(const Snapshot& at, const Standby& of, Findings& out) {
  // Twice the interval: one pass may be late; and the time of one, which is not known beforehand.
  const double patience = 2 * at.limits.full_sync_interval + 60;
  const FullPass& pass = of.full;
  if (pass.exit_code && *pass.exit_code > 1 && !pass.running)
    out.push_back(
        {Level::warning, "full_pass_failed", of.node,
         "the last full pass failed at " + moment_words(pass.ended) + ": " +
             (pass.message.empty() ? pass.failed + " ended with " + std::to_string(*pass.exit_code) : pass.message),
         "pgtandem sync-full" + node_option(at, of.node) + ", and read what it says"});
  if (!at.auto_sync_enabled || pass.running || !pass.proven || !at.spool.founded) return;
  const double since = seconds_between(*pass.proven, at.time);
  if (since > patience)
    out.push_back({Level::warning, "full_pass_overdue", of.node,
                   "the last full pass that proved all tables is " + span_words(since) + " old; one is due every " +
                       span_words(at.limits.full_sync_interval),
                   "pgtandem sync-full" + node_option(at, of.node) +
                       "; systemctl status pgtandem-full.timer, or cron, tells why none ran"});
}

}  // namespace

double lag_threshold_of(const Snapshot& at, const std::string& node) {
  const auto found = at.nodes.find(node);
  return found == at.nodes.end() ? Node{}.lag_threshold : found->second.lag_threshold;
}

void judge_standbys(const Snapshot& at, Findings& out) {
  for (const auto& [name, of] : at.standbys) {
    if (!of.error.empty() && at.spool.founded)
      out.push_back({Level::critical, "standby_not_set_up", name, of.error,
                     "pgtandem apply init" + node_option(at, name) + ", or what that one names"});
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
