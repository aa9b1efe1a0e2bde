#include "compare/pairing.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace compare {

Pairing read_pairing(pg::Session& primary, pg::Session& standby, const base::TableName& table,
                     const config::Settings& settings) {
  Pairing out{read_shape(primary, table), read_shape(standby, table), {}};
  const auto filter = settings.filters.tables.find(table);
  try {
    out.pair =
        pair_tables(out.primary, out.standby, filter == settings.filters.tables.end() ? nullptr : &filter->second);
  } catch (const base::Error& why) {
    throw NotComparable(table, why);
  }
  return out;
}

void NotCompared::add(const NotComparable& table) {
  if (std::ranges::find(tables_, table.table(), &NotComparable::table) != tables_.end()) return;
  base::log(base::Level::warn, std::string(table.what()) + "; going on without this table");
  tables_.push_back(table);
}

bool NotCompared::has(const base::TableName& table) const {
  return std::ranges::find(tables_, table.text(), &NotComparable::table) != tables_.end();
}

void NotCompared::end() const {
  if (tables_.empty()) return;
  if (tables_.size() == 1) throw tables_.front();
  std::string names;
  for (const NotComparable& table : tables_) names += (names.empty() ? "" : ", ") + table.table();
  throw base::Error(tables_.front().kind(), "left out: " + names + "; the first since " + tables_.front().what());
}

}  // namespace compare
