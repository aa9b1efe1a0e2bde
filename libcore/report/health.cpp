#include "report/health.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/tame.hpp"
#include "report/judges.hpp"
#include "report/words.hpp"

namespace report {
namespace {

// Critical before warning; unknown, which says that nothing can be said, before both.
int weight(Level level) { return level == Level::unknown ? 3 : static_cast<int>(level); }

std::string good_line(const Snapshot& at) {
  if (at.standbys.empty()) return "no standby is configured";
  std::string line;
  size_t tables = 0;
  size_t proven = 0;
  Time oldest;
  for (const auto& [name, standby] : at.standbys) {
    line += (line.empty() ? "" : "; ") + name;
    if (standby.caught_up)
      line += " has all that was committed before " + moment_words(at.time);
    else if (standby.lag_seconds)
      line += " is at most " + span_words(*standby.lag_seconds) + " behind";
    tables = standby.tables.size();
    for (const TableState& table : standby.tables) {
      if (!table.equal.value_or(false)) continue;
      ++proven;
      if (!oldest || table.equal_time < oldest) oldest = table.equal_time;
    }
  }
  if (proven > 0 && proven == tables * at.standbys.size())
    line += "; all " + count_words(tables, "table") + " proven equal at " + moment_words(oldest);
  return line;
}

std::string figure(const std::string& name, double value, const char* unit = "", const std::string& limits = "") {
  char text[64];
  std::snprintf(text, sizeof text, std::nearbyint(value) == value ? "%.0f" : "%.3f", value);
  return " " + name + "=" + text + unit + (limits.empty() ? "" : ";" + limits);
}

std::string lag_limits(const Snapshot& at, const std::string& node) {
  const double limit = lag_limit_of(at, node);
  return std::to_string(static_cast<int64_t>(limit)) + ";" + std::to_string(static_cast<int64_t>(much_lag * limit));
}

std::string perfdata(const Snapshot& at) {
  std::string out;
  const Standby* const standby = at.slowest();
  if (standby != nullptr && standby->lag_seconds)
    out += figure("lag", *standby->lag_seconds, "s", lag_limits(at, standby->node));
  if (standby != nullptr && standby->lag_bytes)
    out += figure("lag_bytes", static_cast<double>(*standby->lag_bytes), "B");
  if (at.spool.founded) {
    if (at.sync_queue_size)
      out += figure("queue", static_cast<double>(*at.sync_queue_size), "", std::to_string(at.limits.max_queue_size));
    out += figure("spool", static_cast<double>(at.spool.bytes), "B", ";" + std::to_string(at.spool.max_bytes));
  }
  if (at.slot.retained) out += figure("retained_wal", static_cast<double>(*at.slot.retained), "B");
  if (standby == nullptr) return out;
  uint64_t quarantined = 0;
  size_t paused = 0;
  for (const auto& [name, of] : at.standbys) {
    quarantined += of.quarantined;
    paused += of.paused.size();
  }
  out += figure("quarantined", static_cast<double>(quarantined));
  out += figure("paused_tables", static_cast<double>(paused));
  if (at.standbys.size() == 1) return out;
  // Above is the worst of them, or their sum; here each by itself.
  for (const auto& [name, of] : at.standbys) {
    if (of.lag_seconds) out += figure("lag_" + name, *of.lag_seconds, "s", lag_limits(at, name));
    if (of.waiting)
      out += figure("queue_" + name, static_cast<double>(*of.waiting), "", std::to_string(at.limits.max_queue_size));
    out += figure("quarantined_" + name, static_cast<double>(of.quarantined));
  }
  return out;
}

// A bar ends the text in the plugins' language, and a newline the first line.
std::string without_bars(const std::string& line) {
  std::string text = base::tame(line);
  std::replace(text.begin(), text.end(), '|', '/');
  return text;
}

}  // namespace

Verdict judge(const Snapshot& snapshot) {
  Verdict verdict;
  judge_servers(snapshot, verdict.findings);
  judge_way(snapshot, verdict.findings);
  judge_standbys(snapshot, verdict.findings);
  judge_schedule(snapshot, verdict.findings);
  std::stable_sort(verdict.findings.begin(), verdict.findings.end(),
                   [](const Finding& a, const Finding& b) { return weight(a.level) > weight(b.level); });
  for (const Finding& finding : verdict.findings)
    if (finding.level == Level::critical || verdict.level == Level::ok) verdict.level = finding.level;
  // What is known to be broken outweighs what cannot be told.
  for (const Finding& finding : verdict.findings)
    if (finding.level == Level::unknown && verdict.level != Level::critical) verdict.level = Level::unknown;
  if (verdict.findings.empty()) {
    verdict.line = good_line(snapshot);
    return verdict;
  }
  const auto first = std::find_if(verdict.findings.begin(), verdict.findings.end(),
                                  [&](const Finding& finding) { return finding.level == verdict.level; });
  verdict.line = (first == verdict.findings.end() ? verdict.findings.front() : *first).what;
  if (verdict.findings.size() > 1) verdict.line += " (and " + std::to_string(verdict.findings.size() - 1) + " more)";
  return verdict;
}

void judge_all(Snapshot& snapshot) {
  snapshot.verdict = judge(snapshot);
  for (auto& [name, node] : snapshot.nodes) node.health = judge_node(snapshot, node);
}

Health judge_node(const Snapshot& snapshot, const Node& node) {
  // One that says why it takes nobody in just now is there.
  const bool there = node.server.trouble == Trouble::crowded || node.server.trouble == Trouble::starting ||
                     node.server.trouble == Trouble::encryption;
  if (there) return Health::critical;
  if (!node.server.reached()) return node.failure_count >= node.failure_threshold ? Health::offline : Health::critical;
  Health health = Health::healthy;
  for (const Finding& finding : snapshot.verdict.findings) {
    if (finding.node != node.name) continue;
    if (finding.level == Level::critical) return Health::critical;
    health = Health::warning;
  }
  return health;
}

std::string plugin_text(const Snapshot& snapshot) {
  const Verdict& verdict = snapshot.verdict;
  std::string level = name_of(verdict.level);
  std::transform(level.begin(), level.end(), level.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::string out = "PGTANDEM " + level + " - " + without_bars(verdict.line);
  if (const std::string figures = perfdata(snapshot); !figures.empty()) out += " |" + figures;
  out += '\n';
  for (const Finding& finding : verdict.findings)
    out += without_bars(std::string(name_of(finding.level)) + ": " + finding.what + since_words(finding) + "; " +
                        finding.mend) +
           "\n";
  return out;
}

}  // namespace report
