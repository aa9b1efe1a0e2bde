#include "compare/comparison.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/retry.hpp"
#include "compare/bucket_sums.hpp"
#include "compare/change_lines.hpp"
#include "pg/error.hpp"
#include "spool/mark.hpp"

namespace compare {

using base::Error;
using base::Exit;

bool is_unreadable(const Error& why) {
  if (dynamic_cast<const Inconsistent*>(&why) != nullptr) return true;
  return dynamic_cast<const pg::SqlError*>(&why) != nullptr && why.kind() == Exit::data;
}

std::vector<base::TableName> chosen_tables(const config::Settings& settings, const std::vector<std::string>& texts) {
  const std::vector<base::TableName>& synced = settings.synchronization.sync_tables;
  if (texts.empty()) return synced;
  std::vector<base::TableName> out;
  for (const std::string& text : texts) {
    base::TableName table;
    std::string why;
    if (!base::parse_table_name(text, table, why))
      throw Error(Exit::usage, "--table " + text + " is not a table name: " + why);
    if (std::ranges::find(synced, table) == synced.end())
      throw Error(Exit::usage, "--table " + table.text() + " is none of sync_tables; see pgtandem config");
    if (std::ranges::find(out, table) == out.end()) out.push_back(table);
  }
  return out;
}

Comparison::Comparison(const config::Settings& settings, const Asked& asked)
    : tables_(chosen_tables(settings, asked.tables)), opened_(open(settings, asked)) {
  if (!opened_->cut.exact() && (asked.exact || !asked.rechecks))
    base::log(base::Level::warn, "the comparison is not exact, since " + opened_->cut.why_not() +
                                     (asked.rechecks ? ": what differs is looked at again"
                                                     : ": what is on its way to the standby shows as different"));
  leave_paused_out(settings);
  // Every table is looked at before the first is compared: what cannot be compared is said at once.
  pair_all(settings);
}

Comparison::Opened::Opened(const config::Settings& settings, const Asked& asked,
                           const std::vector<base::TableName>& tables)
    : primary(settings.primary(), asked.jobs, settings.synchronization.sync_timeout),
      standby(settings.secondary(asked.node), asked.jobs, settings.synchronization.sync_timeout),
      digest(agree_on_digest(primary.session(), standby.session())),
      cut(settings, {.primary = {}, .node = asked.node, .tables = tables, .exact = asked.exact}) {
  primary.look_at(cut.primary_snapshot());
  standby.look_at(cut.standby_snapshot());
}

std::unique_ptr<Comparison::Opened> Comparison::open(const config::Settings& settings, const Asked& asked) const {
  base::Backoff backoff(settings.synchronization.max_retry_attempts, settings.synchronization.retry_delay);
  for (;;) {
    try {
      return std::make_unique<Opened>(settings, asked, tables_);
    } catch (const base::Transient& failure) {
      if (!backoff.wait(failure.what())) throw;
    }
  }
}

// As the standby is at the cut; what an applier pauses later was at the cut's place then.
void Comparison::leave_paused_out(const config::Settings& settings) {
  const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory);
  if (!mark) return;
  const PausedTables paused = paused_tables(cut().standby(), mark->source);
  std::erase_if(tables_, [&](const base::TableName& table) {
    const auto found = paused.find(table.text());
    if (found == paused.end()) return false;
    base::log(base::Level::warn, left_out_text(found->first, standby().node(), found->second));
    paused_.insert(*found);
    return true;
  });
}

void Comparison::pair_all(const config::Settings& settings) {
  for (const base::TableName& table : tables_) {
    try {
      pairings_.push_back(read_pairing(primary().session(), standby().session(), table, settings));
    } catch (const NotComparable& failure) {
      not_compared_.add(failure);
      continue;
    }
    for (const std::string& note : pairings_.back().pair.notes) base::log(base::Level::warn, note);
  }
  std::erase_if(tables_, [&](const base::TableName& table) { return not_compared_.has(table); });
}

void Comparison::leave_out(const base::TableName& table, const base::Error& why) {
  const bool too_long = dynamic_cast<const TooLong*>(&why) != nullptr;
  if (!too_long && !is_unreadable(why)) throw;
  if (dynamic_cast<const Inconsistent*>(&why) != nullptr) check_parts(table);  // that makes rows come and go, too
  not_compared_.add({table, too_long ? why : base::Error(why.kind(), table.text() + ": " + why.what())});
  look_again();
}

void Comparison::look_again() {
  if (!opened_) return;
  primary().look_again();
  standby().look_again();
}

// Who attaches a partition takes no lock that ours would keep off, and a statement sees the partitions of its own
// moment: rows that were committed long before the cut come into the table, on one side.
void Comparison::check_parts(const base::TableName& table) {
  for (Side* side : {&primary(), &standby()})
    if (parts_changed(side->session(), table))
      throw Error(Exit::try_later, side->node() + ": a partition was attached to " + table.text() +
                                       ", or detached, while it was compared; start it again");
}

}  // namespace compare
