#include "change/rows.hpp"

#include <algorithm>
#include <charconv>

namespace change {
namespace {

std::string column_text(const Column& column) { return "column `" + shown(column.name) + "`"; }

// What a number of this type may be.
struct Limits {
  int64_t low;
  int64_t high;
};
Limits limits_of(std::string_view type) {
  if (type == "smallint") return {INT16_MIN, INT16_MAX};
  if (type == "oid") return {0, UINT32_MAX};
  return {INT32_MIN, INT32_MAX};
}

}  // namespace

std::string shown(std::string_view text) {
  size_t length = std::min<size_t>(text.size(), 80);
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  std::string out;
  for (const char c : text.substr(0, length)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return length < text.size() ? out + "..." : out;
}

size_t RowReader::column_of(const Shape& shape, std::string_view column, const char* at) const {
  const size_t i = shape.find(column);
  if (i == Shape::none) place_.fail(at, "no column `" + shown(column) + "` in " + shape.relation.text);
  return i;
}

size_t RowReader::read_column(JsonCursor& json, const Shape& shape) {
  const char* at = json.at();
  return column_of(shape, json.name(name_), at);
}

// A value that is not written as a string.
Value RowReader::read_word(JsonCursor& json, const Column& column, char* to) const {
  if (column.json == JsonKind::boolean) return Value::of(json.boolean("true, false or null") ? "t" : "f");
  const char* at = json.at();
  std::string_view digits = json.digits("a whole number or null");
  if (digits == "-0") digits = "0";
  int64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const Limits limits = limits_of(column.type);
  if (failed != std::errc() || number < limits.low || number > limits.high)
    place_.fail(at, "a number out of range for " + column.type);
  std::copy(digits.begin(), digits.end(), to);
  return Value::of({to, digits.size()});
}

// The value at `json` for `column`; its text goes to `to`, which moves on.
[[gnu::always_inline]] inline Value RowReader::read_value(JsonCursor& json, const Column& column, char*& to) const {
  if (json.null()) return Value::null_value();
  if (column.json == JsonKind::string) {
    char* const text = to;
    to = json.copy_string(to, "a string or null");
    return Value::of({text, static_cast<size_t>(to - text)});
  }
  JsonCursor word = json;
  const Value value = read_word(word, column, to);
  json = word;
  to += value.size;
  return value;
}

void RowReader::read_row(JsonCursor& from, Shape& shape, std::span<Value> row, char*& to_from) {
  const std::vector<Column>& columns = shape.relation.columns;
  JsonCursor json = from;
  char* to = to_from;
  Shape::Place* before = &shape.places.back();
  json.each('{', "an object", [&] {
    const char* at = json.at();
    size_t i = before->next;
    if (i == row.size() || !json.spelled(shape.places[i].label)) {
      JsonCursor name = json;
      i = read_column(name, shape);
      json = name;
      before->next = static_cast<uint16_t>(i);
    }
    if (row[i].kind != ValueKind::absent) place_.fail(at, column_text(columns[i]) + " twice");
    row[i] = read_value(json, columns[i], to);
    before = &shape.places[i];
  });
  from = json;
  to_from = to;
}

void RowReader::read_key(JsonCursor& json, const Shape& shape, std::span<Value> key, char*& to) {
  const Relation& relation = shape.relation;
  const char* start = json.at();
  size_t next = 0;
  json.each('{', "an object", [&] {
    const char* at = json.at();
    size_t k = next;
    if (k == key.size() || !json.spelled(shape.places[relation.key[k]].label)) {
      const size_t i = read_column(json, shape);
      k = shape.places[i].key_place;
      if (k == key.size()) place_.fail(at, column_text(relation.columns[i]) + " is not in the key of " + relation.text);
    }
    const Column& column = relation.columns[relation.key[k]];
    if (key[k].kind != ValueKind::absent) place_.fail(at, column_text(column) + " twice");
    const char* value_at = json.at();
    key[k] = read_value(json, column, to);
    if (key[k].kind == ValueKind::null && relation.identity != Identity::full)
      place_.fail(value_at, column_text(column) + " is in the key, so it is never null");
    next = k + 1;
  });
  for (size_t k = 0; k < key.size(); ++k)
    if (key[k].kind == ValueKind::absent)
      place_.fail(start, "the key lacks " + column_text(relation.columns[relation.key[k]]) + " of " + relation.text);
}

void RowReader::read_unchanged(JsonCursor& json, const Shape& shape) {
  json.each('[', "an array", [&] {
    const char* at = json.at();
    unchanged_.push_back({column_of(shape, json.string(name_, "a column name"), at), at});
  });
}

void RowReader::check_unchanged(const Shape& shape, std::span<const Value> row) {
  if (unchanged_.empty()) return;
  std::sort(unchanged_.begin(), unchanged_.end(), [](const Named& a, const Named& b) {
    return a.column < b.column || (a.column == b.column && a.at < b.at);
  });
  for (size_t i = 0; i < unchanged_.size(); ++i) {
    const auto [column, at] = unchanged_[i];
    const bool twice = i > 0 && unchanged_[i - 1].column == column;
    if (twice) place_.fail(at, column_text(shape.relation.columns[column]) + " twice");
    if (row[column].kind != ValueKind::absent)
      place_.fail(at, column_text(shape.relation.columns[column]) + " both new and unchanged");
  }
}

}  // namespace change
