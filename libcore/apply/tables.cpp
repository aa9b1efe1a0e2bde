#include "apply/tables.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "change/reader.hpp"
#include "change/writer.hpp"
#include "state/marks.hpp"

namespace apply {
namespace {

std::string line_of(const change::Relation& relation) {
  std::string line;
  change::append_relation(line, relation);
  line.pop_back();
  return line;
}

// The reader looks up to 64 bytes beyond a line.
change::Relation shape_in(std::string_view line) {
  const std::string kept = std::string(line) + std::string(64, '\0');
  base::Arena arena;
  change::Reader reader("pgtandem.tables");
  return *reader.read(std::string_view(kept).substr(0, line.size()), 1, arena).relation;
}

// A filter's columns have all of the key's among them.
change::Relation with_only(change::Relation shape, const std::vector<std::string>& names) {
  const std::vector<change::Column> all = std::exchange(shape.columns, {});
  const std::vector<uint16_t> key = std::exchange(shape.key, {});
  for (uint16_t i = 0; i < all.size(); ++i) {
    if (std::ranges::find(names, all[i].name) == names.end()) continue;
    if (std::ranges::find(key, i) != key.end()) shape.key.push_back(static_cast<uint16_t>(shape.columns.size()));
    shape.columns.push_back(all[i]);
  }
  return shape;
}

std::set<std::string> synced_in(const config::Settings& settings) {
  std::set<std::string> out;
  for (const base::TableName& table : settings.synchronization.sync_tables) out.insert(table.text());
  return out;
}

}  // namespace

void Tables::load(pg::Session& session, const change::Source& source) {
  if (session.query("SELECT pg_catalog.to_regclass('pgtandem.tables') IS NULL").get(0, 0) == "t")
    throw base::Error(base::Exit::data, session.node() + ": pgtandem.tables is missing; run `apply init`");
  const pg::Result rows = session.query(
      "SELECT name, shape, waiting_shape, lsn, end_lsn, reason FROM pgtandem.tables WHERE slot = $1", {source.slot});
  const std::lock_guard lock(mutex_);
  shapes_.clear();
  changed_.clear();
  paused_.clear();
  last_ = nullptr;
  const std::set<std::string> synced = synced_in(settings_);
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string name(rows.get(i, 0));
    if (from_spool_ && !synced.contains(name)) {
      end_pause(session, source, name, !rows.is_null(i, 2));
      continue;
    }
    if (!rows.is_null(i, 1)) shapes_[name] = shape_in(rows.get(i, 1));
    if (rows.is_null(i, 2)) continue;
    Paused& paused = paused_[name];
    paused.shape = shape_in(rows.get(i, 2));
    change::Lsn::parse(rows.get(i, 3), paused.at.lsn);
    change::Lsn::parse(rows.get(i, 4), paused.at.end_lsn);
    paused.reason = rows.get(i, 5);
  }
}

// Nobody mends it for us, and the queue would be kept for it until it is full. Should it be synced again it begins
// anew.
void Tables::end_pause(pg::Session& session, const change::Source& source, const std::string& table, bool waits) const {
  session.query("DELETE FROM pgtandem.tables WHERE slot = $1 AND name = $2", {source.slot, table});
  state::clear_mark(settings_.state_directory, session.node(), table, std::numeric_limits<int64_t>::max());
  if (!waits) return;
  base::log(base::Level::warn,
            session.node() + ": table " + table +
                " is none of sync_tables any more: it waits no longer, and its changes that did are left out");
}

std::optional<change::Relation> Tables::was(const std::string& table) const {
  const std::lock_guard lock(mutex_);
  const auto found = shapes_.find(table);
  if (found == shapes_.end()) return {};
  const auto filter = settings_.filters.tables.find(found->second.table);
  if (filter == settings_.filters.tables.end() || filter->second.columns.empty()) return found->second;
  return with_only(found->second, filter->second.columns);
}

void Tables::took(const change::Relation& shape) {
  if (std::exchange(last_, &shape) == &shape) return;
  const std::lock_guard lock(mutex_);
  change::Relation& known = shapes_[shape.text];
  if (known == shape) return;
  known = shape;
  changed_.insert(shape.text);
}

void Tables::pause(const change::Relation& shape, const Position& at, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  paused_[shape.text] = {shape, at, reason};
  changed_.insert(shape.text);
}

void Tables::go_on(const std::string& table) {
  const std::lock_guard lock(mutex_);
  paused_.erase(table);
  changed_.insert(table);
}

change::Lsn Tables::position(const std::string& table, change::Lsn at) const {
  const auto found = paused_.find(table);
  return found == paused_.end() ? at : std::min(at, found->second.at.lsn);
}

void Tables::leave_out(const std::string& table, const std::vector<std::string>& columns) {
  std::vector<std::string>& all = left_out_[table];
  all.insert(all.end(), columns.begin(), columns.end());
}

Selection Tables::all_others() const {
  std::set<std::string> paused;
  for (const auto& [table, what] : paused_) paused.insert(table);
  return Selection::all_but(std::move(paused), left_out_,
                            from_spool_ ? std::optional(synced_in(settings_)) : std::nullopt);
}

void Tables::write(pg::Session& session, const change::Source& source) {
  const std::lock_guard lock(mutex_);
  for (const std::string& table : changed_) {
    const auto shape = shapes_.find(table);
    const auto paused = paused_.find(table);
    std::optional<std::string> taken;
    std::optional<std::string> waiting;
    if (shape != shapes_.end()) taken = line_of(shape->second);
    if (paused != paused_.end()) waiting = line_of(paused->second.shape);
    const bool waits = waiting.has_value();
    session.query(
        R"(INSERT INTO pgtandem.tables AS t (slot, name, shape, waiting_shape, lsn, end_lsn, reason, since)
           VALUES ($1, $2, $3, $4, $5::pg_catalog.pg_lsn, $6::pg_catalog.pg_lsn, $7,
                   CASE WHEN $4::text IS NOT NULL THEN pg_catalog.now() END)
           ON CONFLICT (slot, name) DO UPDATE
             SET shape = excluded.shape, waiting_shape = excluded.waiting_shape, lsn = excluded.lsn,
                 end_lsn = excluded.end_lsn, reason = excluded.reason,
                 since = CASE WHEN excluded.since IS NOT NULL THEN coalesce(t.since, excluded.since) END)",
        {source.slot, table, taken, waiting, waits ? std::optional(paused->second.at.lsn.text()) : std::nullopt,
         waits ? std::optional(paused->second.at.end_lsn.text()) : std::nullopt,
         waits ? std::optional(paused->second.reason) : std::nullopt});
  }
  changed_.clear();
}

}  // namespace apply
