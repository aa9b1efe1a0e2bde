#include "compare/diff.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/table_name.hpp"
#include "capture/link.hpp"
#include "compare/give_way.hpp"
#include "compare/paused.hpp"
#include "compare/reference_depth.hpp"
#include "compare/settled.hpp"
#include "compare/table_diff.hpp"
#include "spool/mark.hpp"

namespace compare {
namespace {

using base::Exit;

// Rows of an empty standby's table that are still printed one by one.
constexpr uint64_t copy_above = 5000;

// The stream's source as capture's lines have it, so that whoever repairs knows that this is its own primary.
change::Source source_of(const config::Settings& settings, pg::Session& primary, change::Lsn cut) {
  if (const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory)) return mark->source;
  const pg::Result system = primary.query(
      "SELECT s.system_identifier, c.timeline_id FROM pg_control_system() AS s, pg_control_checkpoint() AS c");
  return {std::string(system.get(0, 0)), static_cast<uint32_t>(std::stoul(std::string(system.get(0, 1)))),
          capture::link_name(settings), cut};
}

// Tables that reference others come before those, as far as there is such an order. Else the lines stand in the
// configuration's; they come last table first.
void referencing_first(std::vector<Pairing>& pairings, pg::Session& standby) {
  std::vector<base::TableName> tables;
  for (const Pairing& pairing : pairings) tables.push_back(pairing.pair.table);
  const std::map<base::TableName, size_t> depth = reference_depth(standby, tables);
  std::ranges::stable_sort(pairings, {}, [&](const Pairing& p) { return depth.at(p.pair.table); });
  std::ranges::reverse(pairings);
}

// What the two passes print and add up, table by table.
class Report {
 public:
  explicit Report(const Options& options) : options_(options) {}

  void add(const change::Relation& relation, const TableResult& result) {
    ++tables_;
    equal_ = equal_ && result.equal();
    rows_ += result.primary_rows + result.standby_rows;
    if (result.unsettled > 0)
      unsettled_ += (unsettled_.empty() ? "" : ", ") + std::to_string(result.unsettled) + " of " + relation.text;
    if (options_.summary) options_.print(text_of(relation.text, result) + "\n");
    base::log(base::Level::debug, text_of(relation.text, result));
  }

  Exit end(bool paused, change::Lsn lsn, uint64_t received) const {
    if (!unsettled_.empty())
      base::log(base::Level::warn,
                "rows that are written too often to be sure of, so that it is not known whether they "
                "differ: " +
                    unsettled_ + "; start it again when less is written");
    char figures[64];
    std::snprintf(figures, sizeof figures, "%.1f s, %.1f MB", base::monotonic_seconds() - began_,
                  static_cast<double>(received) / 1e6);
    base::log(base::Level::info, "compared " + std::to_string(rows_) + " rows of " + std::to_string(tables_) +
                                     " tables on both sides at " + lsn.text() + " in " + figures + " received");
    if (!equal_ || paused) return Exit::finding;
    return unsettled_.empty() ? Exit::done : Exit::try_later;
  }

 private:
  const Options& options_;
  size_t tables_ = 0;
  const double began_ = base::monotonic_seconds();
  bool equal_ = true;
  uint64_t rows_ = 0;
  std::string unsettled_;
};

}  // namespace

Exit diff(const config::Settings& settings, const Options& options) {
  Report report(options);
  const bool linked = spool::read_mark(settings.spool.directory).has_value();
  Asked asked = options.asked;
  asked.exact = !options.recheck;
  asked.rechecks = linked;
  Comparison comparison(settings, asked);
  Side& primary = comparison.primary();
  Side& standby = comparison.standby();
  std::vector<Pairing>& pairings = comparison.pairings();
  const change::Lsn lsn = comparison.cut().lsn();
  const std::string node = standby.node();
  std::optional<ChangeLines> lines;
  if (!options.summary) {
    lines.emplace(options.print, source_of(settings, primary.session(), lsn), lsn, pairings.size());
    referencing_first(pairings, standby.session());
  }
  ChangeLines* const printed = lines ? &*lines : nullptr;
  std::optional<Settled> settled;
  if (linked && !comparison.cut().exact()) settled.emplace(settings, node, pairings.size());
  GiveWay way(comparison.cut());
  Sieve sieve(settings, lsn);
  const Beside beside{.way = &way, .settled = settled ? &*settled : nullptr, .sieve = &sieve};
  // A copy line would bring what a program keeps away.
  const bool by_row = options.rows || sieve.active();
  ProgressMeter meter(options.show);
  std::vector<TableResult> results;
  for (const Pairing& pairing : pairings) {
    TableDiff table(primary, standby, pairing.pair, comparison.digest(), printed, by_row ? UINT64_MAX : copy_above,
                    meter, beside);
    results.push_back(table.run(pairing.primary, pairing.standby));
    comparison.check_parts(pairing);
    if (!settled) report.add(pairing.pair.relation, results.back());
  }
  bool paused = !comparison.paused().empty();
  const uint64_t received = primary.received + standby.received;
  if (settled) {
    comparison.leave();  // the applier may have to truncate on its way to the place where rows are looked at again
    for (size_t i = 0; i < pairings.size(); ++i) {
      const change::Relation& relation = pairings[i].pair.relation;
      const Outcome outcome = settled->settle(i, sieve, printed);
      results[i].changed = outcome.changed;
      results[i].missing = outcome.missing;
      results[i].extra = outcome.extra;
      results[i].unsettled = outcome.unsettled;
      results[i].left_out = outcome.left_out;
      if (!outcome.paused.empty()) {
        base::log(base::Level::warn, left_out_text(relation.text, node, outcome.paused));
        paused = true;
      }
      report.add(relation, results[i]);
    }
  }
  if (lines) lines->finish();
  const Exit exit = report.end(paused, lsn, received);
  comparison.not_compared().end();
  return exit;
}

}  // namespace compare
