// The changes as SQL for people: each operation a statement with its values, in the primary's order. Reads the
// standby's progress, writes nothing anywhere.
#include <algorithm>
#include <set>

#include "apply/progress.hpp"
#include "apply/run.hpp"
#include "apply/source.hpp"
#include "base/clock.hpp"
#include "base/stop.hpp"
#include "pg/quote.hpp"
#include "pg/rights.hpp"
#include "spool/mark.hpp"

namespace apply {
namespace {

using change::Event;
using change::EventType;
using change::Relation;
using change::Value;
using change::ValueKind;

// The forms that the values have, whatever the session of psql that runs the rest.
constexpr const char* preamble = R"(SET standard_conforming_strings = on;
SET datestyle = ISO;
SET intervalstyle = postgres;
SET timezone = 'UTC';
SET extra_float_digits = 3;
SET bytea_output = hex;
SET lc_monetary = 'C';
SET search_path = '';
)";

std::string literal(const Value& value) {
  return value.kind == ValueKind::text ? pg::quote_literal(value.text()) : "NULL";
}

// As a cast: the plain name of these two means a length of one.
std::string cast_of(const std::string& type) {
  if (type == "character") return "::bpchar";
  return type == "bit" ? "::\"bit\"" : "::" + type;
}

// The standby's tables that others inherit from: of their rows only their own are meant, as Targets has it.
using Parents = std::set<std::string>;  // as Relation::text

Parents parents_on(pg::Session& session) {
  const pg::Result rows = session.query(
      R"(SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND c.relhassubclass)");
  Parents out;
  for (int i = 0; i < rows.rows(); ++i)
    out.insert(base::TableName{std::string(rows.get(i, 0)), std::string(rows.get(i, 1))}.text());
  return out;
}

std::string rows_of(const base::TableName& table, const Parents& parents) {
  return (parents.contains(table.text()) ? "ONLY " : "") + pg::quote_table(table);
}

// Where only all columns together name a row, their text does, and one of several rows alike is meant.
std::string condition(const Event& event, const Parents& parents) {
  const Relation& relation = *event.relation;
  const bool by_text = relation.identity == change::Identity::full;
  std::string out;
  for (size_t i = 0; i < event.key.size(); ++i) {
    const change::Column& column = relation.columns[relation.key[i]];
    out += (out.empty() ? "" : " AND ") + pg::quote_identifier(column.name);
    out += by_text ? "::text IS NOT DISTINCT FROM " + literal(event.key[i]) + cast_of(column.type) + "::text"
                   : " = " + literal(event.key[i]);
  }
  if (!by_text) return out;
  return "(tableoid, ctid) = (SELECT tableoid, ctid FROM " + rows_of(relation.table, parents) + " WHERE " + out +
         " LIMIT 1)";
}

// A key column that stays what it is need not be set, and an identity column may not.
bool stays(const Event& event, size_t column) {
  const std::vector<uint16_t>& key = event.relation->key;
  const auto found = std::find(key.begin(), key.end(), static_cast<uint16_t>(column));
  if (found == key.end()) return false;
  const Value& was = event.key[static_cast<size_t>(found - key.begin())];
  return was.kind == event.row[column].kind && was.text() == event.row[column].text();
}

std::string insert(const Event& event) {
  std::string columns;
  std::string values;
  for (size_t i = 0; i < event.row.size(); ++i) {
    if (event.row[i].kind == ValueKind::absent) continue;
    columns += (columns.empty() ? "" : ", ") + pg::quote_identifier(event.relation->columns[i].name);
    values += (values.empty() ? "" : ", ") + literal(event.row[i]);
  }
  return "INSERT INTO " + pg::quote_table(event.relation->table) + " (" + columns +
         ") OVERRIDING SYSTEM VALUE VALUES (" + values + ");\n";
}

std::string update(const Event& event, const Parents& parents) {
  std::string set;
  for (size_t i = 0; i < event.row.size(); ++i)
    if (event.row[i].kind != ValueKind::absent && !stays(event, i))
      set += (set.empty() ? "" : ", ") + pg::quote_identifier(event.relation->columns[i].name) + " = " +
             literal(event.row[i]);
  if (set.empty()) return "-- an update that changes nothing\n";
  return "UPDATE " + rows_of(event.relation->table, parents) + " SET " + set + " WHERE " + condition(event, parents) +
         ";\n";
}

std::string truncate(const Event& event, const Parents& parents) {
  std::string tables;
  for (const base::TableName& table : event.tables) tables += (tables.empty() ? "" : ", ") + rows_of(table, parents);
  return "TRUNCATE " + tables + (event.restart_identity ? " RESTART IDENTITY;\n" : ";\n");
}

std::string sql(const Event& event, const Parents& parents) {
  switch (event.type) {
    case EventType::begin:
      return "BEGIN;  -- " + event.lsn.text() + " committed " + base::iso_time(event.time) + "\n";
    case EventType::commit:
      return "COMMIT;\n";
    case EventType::insert:
      return insert(event);
    case EventType::update:
      return update(event, parents);
    case EventType::remove:
      return "DELETE FROM " + rows_of(event.relation->table, parents) + " WHERE " + condition(event, parents) + ";\n";
    case EventType::truncate:
      return truncate(event, parents);
    case EventType::copy:
    case EventType::source:
    case EventType::relation:
    case EventType::keepalive:
      break;
  }
  return {};
}

pg::Session looking(const config::Settings& settings, const Options& options) {
  return {settings.secondary(options.node),
          {.purpose = "pgtandem apply", .answer_timeout = settings.synchronization.sync_timeout}};
}

// Of the queue only what apply would take.
bool is_synced(const config::Settings& settings, Event& event) {
  const std::vector<base::TableName>& synced = settings.synchronization.sync_tables;
  const auto is_not = [&](const base::TableName& table) { return std::ranges::find(synced, table) == synced.end(); };
  if (event.type == EventType::truncate) std::erase_if(event.tables, is_not);
  if (event.type == EventType::truncate) return !event.tables.empty();
  return event.relation == nullptr || !is_not(event.relation->table);
}

void print_all(const config::Settings& settings, const Options& options, Source& source, bool from_spool,
               const std::function<void(std::string_view)>& print) {
  pg::Session session = looking(settings, options);
  const Parents parents = parents_on(session);
  base::Arena arena;
  while (!base::stop_requested()) {
    arena.reset();
    const Event* event = source.next(arena);
    if (event == nullptr) break;
    if (event->type == EventType::begin && options.until && event->lsn >= *options.until) break;
    Event seen = *event;
    if (!from_spool || is_synced(settings, seen)) print(sql(seen, parents));
  }
}

}  // namespace

void dry_run(const config::Settings& settings, const Options& options, Source* stream,
             const std::function<void(std::string_view)>& print) {
  const std::unique_ptr<Source> spool = stream == nullptr ? from_spool(settings) : nullptr;
  Source* const source = stream == nullptr ? spool.get() : stream;
  Position at;
  if (const std::optional<change::Source> named = source->named()) {
    pg::Session session = looking(settings, options);
    try {
      at = read_progress(session, *named);
    } catch (const pg::SqlError& refused) {
      pg::throw_refusal(refused, "apply init");
    }
  }
  source->rewind(at);
  print(preamble);
  print_all(settings, options, *source, stream == nullptr, print);
}

void dry_run(const config::Settings& settings, const Options& options, Source& source,
             const std::function<void(std::string_view)>& print) {
  print_all(settings, options, source, false, print);
}

}  // namespace apply
