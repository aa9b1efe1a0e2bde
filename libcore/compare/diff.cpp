#include "compare/diff.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/table_name.hpp"
#include "capture/link.hpp"
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

// Tables that reference others come before those, as far as there is such an order.
void referencing_first(std::vector<Pairing>& pairings, pg::Session& standby) {
  const pg::Result references = standby.query(
      R"(SELECT cn.nspname, c.relname, pn.nspname, p.relname
           FROM pg_catalog.pg_constraint f
           JOIN pg_catalog.pg_class c ON c.oid = f.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
           JOIN pg_catalog.pg_class p ON p.oid = f.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
          WHERE f.contype = 'f' AND f.conrelid <> f.confrelid)");
  std::map<base::TableName, size_t> depth;  // above every table that it references
  for (const Pairing& pairing : pairings) depth[pairing.pair.table] = 0;
  bool moved = true;
  for (size_t round = 0; moved && round < pairings.size(); ++round) {  // a circle of references has no order
    moved = false;
    for (int i = 0; i < references.rows(); ++i) {
      const auto child = depth.find({std::string(references.get(i, 0)), std::string(references.get(i, 1))});
      const auto parent = depth.find({std::string(references.get(i, 2)), std::string(references.get(i, 3))});
      if (child == depth.end() || parent == depth.end() || child->second > parent->second) continue;
      child->second = parent->second + 1;
      moved = true;
    }
  }
  // Else the lines stand in the configuration's order; they come last table first.
  std::ranges::stable_sort(pairings, {}, [&](const Pairing& p) { return depth.at(p.pair.table); });
  std::ranges::reverse(pairings);
}

std::string megabytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace

Exit diff(const config::Settings& settings, const Options& options) {
  const double began = base::monotonic_seconds();
  Comparison comparison(settings, options.asked);
  Side& primary = comparison.primary();
  Side& standby = comparison.standby();
  std::vector<Pairing>& pairings = comparison.pairings();
  const change::Lsn lsn = comparison.cut().lsn();
  std::optional<ChangeLines> lines;
  if (!options.summary) {
    lines.emplace(options.print, source_of(settings, primary.session(), lsn), lsn, pairings.size());
    referencing_first(pairings, standby.session());
  }
  ProgressMeter meter(options.show);
  bool equal = true;
  uint64_t rows = 0;
  for (const Pairing& pairing : pairings) {
    TableDiff table(primary, standby, pairing.pair, comparison.digest(), lines ? &*lines : nullptr,
                    options.rows ? UINT64_MAX : copy_above, meter);
    const TableResult result = table.run(pairing.primary, pairing.standby);
    equal = equal && result.equal();
    rows += result.primary_rows + result.standby_rows;
    if (options.summary) options.print(text_of(pairing.pair.relation.text, result) + "\n");
    base::log(base::Level::debug, text_of(pairing.pair.relation.text, result));
  }
  if (lines) lines->finish();
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", base::monotonic_seconds() - began);
  base::log(base::Level::info, "compared " + std::to_string(rows) + " rows of " + std::to_string(pairings.size()) +
                                   " tables on both sides at " + lsn.text() + " in " + seconds + ", " +
                                   megabytes(primary.received + standby.received) + " received");
  return equal ? Exit::done : Exit::finding;
}

}  // namespace compare
