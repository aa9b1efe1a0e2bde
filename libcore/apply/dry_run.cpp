// The changes as SQL for people: each operation a statement with its values, in the primary's order. Reads the
// standby's progress, writes nothing anywhere.
#include <algorithm>

#include "apply/progress.hpp"
#include "apply/run.hpp"
#include "apply/source.hpp"
#include "base/clock.hpp"
#include "base/stop.hpp"
#include "pg/quote.hpp"
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

// Where only all columns together name a row, their text does, and one of several rows alike is meant.
std::string condition(const Event& event) {
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
  return "(tableoid, ctid) = (SELECT tableoid, ctid FROM " + pg::quote_table(relation.table) + " WHERE " + out +
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

std::string update(const Event& event) {
  std::string set;
  for (size_t i = 0; i < event.row.size(); ++i)
    if (event.row[i].kind != ValueKind::absent && !stays(event, i))
      set += (set.empty() ? "" : ", ") + pg::quote_identifier(event.relation->columns[i].name) + " = " +
             literal(event.row[i]);
  if (set.empty()) return "-- an update that changes nothing\n";
  return "UPDATE " + pg::quote_table(event.relation->table) + " SET " + set + " WHERE " + condition(event) + ";\n";
}

std::string truncate(const Event& event) {
  std::string tables;
  for (const base::TableName& table : event.tables) tables += (tables.empty() ? "" : ", ") + pg::quote_table(table);
  return "TRUNCATE " + tables + (event.restart_identity ? " RESTART IDENTITY;\n" : ";\n");
}

std::string sql(const Event& event) {
  switch (event.type) {
    case EventType::begin:
      return "BEGIN;  -- " + event.lsn.text() + " committed " + base::iso_time(event.time) + "\n";
    case EventType::commit:
      return "COMMIT;\n";
    case EventType::insert:
      return insert(event);
    case EventType::update:
      return update(event);
    case EventType::remove:
      return "DELETE FROM " + pg::quote_table(event.relation->table) + " WHERE " + condition(event) + ";\n";
    case EventType::truncate:
      return truncate(event);
    case EventType::copy:
    case EventType::source:
    case EventType::relation:
    case EventType::keepalive:
      break;
  }
  return {};
}

}  // namespace

void dry_run(const config::Settings& settings, const Options& options, std::optional<int> fd,
             const std::function<void(std::string_view)>& print) {
  const std::unique_ptr<Source> source = fd ? from_descriptor(*fd, "stdin") : from_spool(settings);
  Position at;
  if (const std::optional<change::Source> named = source->named()) {
    pg::Session session(settings.secondary(options.node),
                        {.purpose = "pgtandem apply", .answer_timeout = settings.synchronization.sync_timeout});
    at = read_progress(session, *named);
  }
  source->rewind(at);
  print(preamble);
  base::Arena arena;
  while (!base::stop_requested()) {
    arena.reset();
    const Event* event = source->next(arena);
    if (event == nullptr) break;
    if (event->type == EventType::begin && options.until && event->lsn >= *options.until) break;
    print(sql(*event));
  }
}

}  // namespace apply
