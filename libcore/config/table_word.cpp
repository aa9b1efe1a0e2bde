#include "config/table_word.hpp"

#include <algorithm>

namespace config {

base::TableName read_table(const Value& value, const std::string& name, Report& report) {
  if (value.kind != Value::Kind::text) {
    report.fail(value.place, name + " holds " + show(value) + "; write table names, as [images, shop.orders]");
  }
  base::TableName table;
  std::string why;
  if (!base::parse_table_name(value.text, table, why)) {
    // YAML takes its own quotes away, SQL's must stand within them.
    report.fail(value.place, name + ": " + show(value.text) + " names no table, " + why +
                                 "; write images, shop.orders or '\"Odd Name\"'");
  }
  const bool upper = std::any_of(value.text.begin(), value.text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (value.quoted && upper && value.text.find('"') == std::string::npos) {
    report.warn(value.place, name + ": " + show(value.text) + " is taken for " + table.text() +
                                 ", as SQL does without quotes of its own; write '\"Name\"' to keep capitals");
  }
  return table;
}

}  // namespace config
