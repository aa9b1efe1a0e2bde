#include "compare/diff.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/log.hpp"
#include "base/table_name.hpp"
#include "capture/link.hpp"
#include "compare/diff_report.hpp"
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

}  // namespace

Exit diff(const config::Settings& settings, const Options& options) {
  DiffReport report(options);
  const bool linked = spool::read_mark(settings.spool.directory).has_value();
  Asked asked = options.asked;
  asked.exact = !options.recheck;
  asked.rechecks = linked;
  Comparison comparison(settings, asked);
  report.begin(comparison);
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
    try {
      results.push_back(table.run(pairing.primary, pairing.standby));
    } catch (const base::Error& failure) {
      comparison.leave_out(pairing.pair.table, failure);
      if (lines && !settled) lines->take_back();
      sieve.forget();
      results.emplace_back();
      continue;
    }
    comparison.check_parts(pairing.pair.table);
    if (!settled) report.add(pairing.pair.relation, results.back());
  }
  const uint64_t received = primary.received + standby.received;
  if (settled) {
    comparison.leave();  // the applier may have to truncate on its way to the place where rows are looked at again
    for (size_t i = 0; i < pairings.size(); ++i) {
      const change::Relation& relation = pairings[i].pair.relation;
      if (comparison.not_compared().has(pairings[i].pair.table)) continue;
      Outcome outcome;
      try {
        outcome = settled->settle(i, sieve, printed);
      } catch (const base::Error& failure) {
        comparison.leave_out(pairings[i].pair.table, failure);
        if (lines) lines->take_back();
        sieve.forget();
        continue;
      }
      results[i].changed = outcome.changed;
      results[i].missing = outcome.missing;
      results[i].extra = outcome.extra;
      results[i].unsettled = outcome.unsettled;
      results[i].left_out = outcome.left_out;
      if (outcome.paused) {
        base::log(base::Level::warn, left_out_text(relation.text, node, *outcome.paused));
        report.add_paused(relation.text, *outcome.paused);
      } else {
        report.add(relation, results[i]);
      }
    }
  }
  if (lines) lines->finish();
  const Exit exit = report.end(received);
  comparison.not_compared().end();
  return exit;
}

}  // namespace compare
