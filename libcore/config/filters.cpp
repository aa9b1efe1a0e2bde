#include "config/filters.hpp"

#include <algorithm>

#include "config/table_word.hpp"

namespace config {
namespace {

std::vector<std::string> read_columns(Section& filter) {
  std::vector<std::string> columns;
  std::vector<std::string> texts;
  const Value* list = filter.texts("columns", texts);
  if (!list) return columns;
  if (list->items.empty()) filter.refuse("columns", *list, "the columns to send, or remove it to send all");
  for (const Value& item : list->items) {
    base::TableName column;
    std::string why;
    // A column is named as a table is, without a schema of its own.
    if (!base::parse_table_name("public." + item.text, column, why))
      filter.report().fail(item.place, filter.name("columns") + ": " + show(item.text) + " names no column, " + why +
                                           "; write title or '\"Odd Name\"'");
    if (std::find(columns.begin(), columns.end(), column.name) == columns.end())
      columns.push_back(column.name);
    else
      filter.report().warn(item.place, filter.name("columns") + " names " + show(item.text) + " twice");
  }
  return columns;
}

TableFilter read_filter(const Entry& entry, Report& report) {
  Section filter(&entry.value, "filters." + entry.key, report);
  TableFilter out;
  const Value* where = filter.text("where", out.where);
  if (where && out.where.find_first_not_of(" \t\r\n") == std::string::npos)
    filter.refuse("where", *where, "a condition, as \"is_downloaded\"");
  out.columns = read_columns(filter);
  filter.finish();
  if (out.where.empty() && out.columns.empty())
    report.fail(entry.place,
                "filters." + entry.key + " has neither where nor columns; write one of them, or remove it");
  return out;
}

}  // namespace

Filters read_filters(Section& top, const std::filesystem::path& folder, const std::vector<base::TableName>& tables) {
  Section filters = top.section("filters");
  Report& report = filters.report();
  Filters out;
  filters.program("program", out.program, folder);
  for (const Entry& entry : filters.entries()) {
    if (entry.key == "program") continue;
    Value named;
    named.kind = Value::Kind::text;
    named.text = entry.key;
    named.place = entry.place;
    const base::TableName table = read_table(named, "filters", report);
    if (std::find(tables.begin(), tables.end(), table) == tables.end())
      report.fail(entry.place,
                  "filters names " + table.text() + ", which is not in sync_tables; correct the name, or add it there");
    if (!out.tables.emplace(table, read_filter(entry, report)).second)
      report.fail(entry.place, "filters names " + table.text() + " twice; write one filter for it");
  }
  return out;
}

}  // namespace config
