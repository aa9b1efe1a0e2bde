// The changes as SQL for people: each operation a statement with its values, in the primary's order. Reads the
// standby's progress, writes nothing anywhere.
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

std::string literal(const Value& value) {
  return value.kind == ValueKind::text ? pg::quote_literal(value.text()) : "NULL";
}

// Where only all columns together name a row, their text does, and one of several rows alike is meant.
std::string condition(const Event& event) {
  const Relation& relation = *event.relation;
  const bool by_text = relation.identity == change::Identity::full;
  std::string out;
  for (size_t i = 0; i < event.key.size(); ++i)
    out += (out.empty() ? "" : " AND ") + pg::quote_identifier(relation.columns[relation.key[i]].name) +
           (by_text ? "::text IS NOT DISTINCT FROM " : " = ") + literal(event.key[i]);
  if (!by_text) return out;
  return "ctid = (SELECT ctid FROM " + pg::quote_table(relation.table) + " WHERE " + out + " LIMIT 1)";
}

std::string insert(const Event& event) {
  std::string columns;
  std::string values;
  for (size_t i = 0; i < event.row.size(); ++i) {
    if (event.row[i].kind == ValueKind::absent) continue;
    columns += (columns.empty() ? "" : ", ") + pg::quote_identifier(event.relation->columns[i].name);
    values += (values.empty() ? "" : ", ") + literal(event.row[i]);
  }
  return "INSERT INTO " + pg::quote_table(event.relation->table) + " (" + columns + ") VALUES (" + values + ");\n";
}

std::string update(const Event& event) {
  std::string set;
  for (size_t i = 0; i < event.row.size(); ++i)
    if (event.row[i].kind != ValueKind::absent)
      set += (set.empty() ? "" : ", ") + pg::quote_identifier(event.relation->columns[i].name) + " = " +
             literal(event.row[i]);
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
