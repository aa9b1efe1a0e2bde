// What the round-trip tests write, and the comparison of what comes back.
#pragma once

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "change/writer.hpp"
#include "lines.hpp"

// A value as a test writes it down: a text, or one of these.
struct Given {
  std::string text;
  change::ValueKind kind = change::ValueKind::text;
  Given(const char* t) : text(t) {}
  Given(std::string t) : text(std::move(t)) {}
  explicit Given(change::ValueKind k) : kind(k) {}
  bool operator==(const Given&) const = default;
};
inline const Given null{change::ValueKind::null};
inline const Given absent{change::ValueKind::absent};

inline std::ostream& operator<<(std::ostream& out, const Given& given) {
  if (given.kind == change::ValueKind::text) return out << '"' << given.text.substr(0, 200) << '"';
  return out << (given.kind == change::ValueKind::null ? "null" : "absent");
}

// The texts have to outlive the values.
inline std::vector<change::Value> values(const std::vector<Given>& given) {
  std::vector<change::Value> out;
  for (const Given& value : given) {
    out.push_back(change::Value::of(value.text));
    out.back().kind = value.kind;
  }
  return out;
}
inline std::vector<Given> given(std::span<const change::Value> values) {
  std::vector<Given> out;
  for (const change::Value& value : values) {
    if (value.kind == change::ValueKind::text)
      out.emplace_back(std::string(value.text()));
    else
      out.emplace_back(value.kind);
  }
  return out;
}

inline change::Relation relation(const std::string& table,
                                 const std::vector<std::pair<std::string, std::string>>& columns,
                                 std::vector<uint16_t> key, change::Identity identity = change::Identity::primary_key) {
  change::Relation out;
  std::string why;
  REQUIRE(base::parse_table_name(table, out.table, why));
  out.text = out.table.text();
  for (const auto& [name, type] : columns) out.columns.push_back({name, type, change::json_kind(type)});
  out.key = std::move(key);
  out.identity = identity;
  return out;
}
