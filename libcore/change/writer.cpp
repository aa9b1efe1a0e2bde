#include "change/writer.hpp"

#include <charconv>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "change/json_scan.hpp"

namespace change {
namespace {

void append_number(std::string& out, uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_value(std::string& out, const Column& column, const Value& value) {
  append_json_string(out, column.name);
  out += ':';
  if (value.kind != ValueKind::text) {
    out += "null";
  } else if (column.json == JsonKind::string) {
    append_json_string(out, value.text());
  } else if (column.json == JsonKind::boolean) {
    out += value.text() == "t" ? "true" : "false";
  } else {
    out += value.text();
  }
}

void append_head(std::string& out, const char* head, const Relation& relation) {
  out += head;
  append_json_string(out, relation.text);
}

// Returns how many values were absent.
size_t append_row(std::string& out, const Relation& relation, std::span<const Value> row) {
  out += ",\"new\":{";
  size_t absent = 0;
  bool first = true;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].kind == ValueKind::absent) {
      ++absent;
      continue;
    }
    if (!first) out += ',';
    first = false;
    append_value(out, relation.columns[i], row[i]);
  }
  out += '}';
  return absent;
}

void append_lsn(std::string& out, const char* name, Lsn lsn) {
  out += name;
  lsn.append_to(out);
  out += '"';
}

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  static constexpr char digits[] = "0123456789abcdef";
  const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
  out.append(escape, sizeof escape);
}

constexpr std::string_view checksum_head = ",\"xxh3\":\"";

void append_optional(std::string& out, std::string_view label, const std::string& text) {
  if (text.empty()) return;
  out += label;
  append_json_string(out, text);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (;;) {
    const size_t run = plain_run(text.data(), text.size());
    out.append(text.data(), run);
    if (run == text.size()) break;
    append_escape(out, static_cast<unsigned char>(text[run]));
    text.remove_prefix(run + 1);
  }
  out += '"';
}

void append_key(std::string& out, const Relation& relation, std::span<const Value> key, std::string_view member) {
  // The key of a row without a column is one without a column.
  if (key.empty() && (!relation.columns.empty() || relation.identity != Identity::full)) return;
  out.append(",\"").append(member) += "\":{";
  for (size_t i = 0; i < key.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, relation.columns[relation.key[i]], key[i]);
  }
  out += '}';
}

void append_source(std::string& out, const Source& source, Lsn start, const uint64_t* operations, const Lsn* cut) {
  out += R"({"type":"source","system_id":)";
  append_json_string(out, source.system_id);
  out += ",\"timeline\":";
  append_number(out, source.timeline);
  out += ",\"slot\":";
  append_json_string(out, source.slot);
  append_lsn(out, ",\"created\":\"", source.created);
  append_lsn(out, ",\"lsn\":\"", start);
  if (operations != nullptr) {
    out += ",\"operations\":";
    append_number(out, *operations);
  }
  if (cut != nullptr) append_lsn(out, ",\"cut\":\"", *cut);
  out += "}\n";
}

void append_relation(std::string& out, const Relation& relation) {
  append_head(out, R"({"type":"relation","table":)", relation);
  out += ",\"columns\":[";
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    out += i == 0 ? "{\"name\":" : ",{\"name\":";
    append_json_string(out, relation.columns[i].name);
    out += ",\"type\":";
    append_json_string(out, relation.columns[i].type);
    append_optional(out, ",\"definition\":", relation.columns[i].definition);
    append_optional(out, ",\"default\":", relation.columns[i].default_value);
    append_optional(out, ",\"missing\":", relation.columns[i].missing);
    out += '}';
  }
  out += "],\"key\":[";
  for (size_t i = 0; i < relation.key.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, relation.columns[relation.key[i]].name);
  }
  static constexpr const char* names[] = {"default", "index", "full", "nothing"};
  out += "],\"identity\":\"";
  out += names[static_cast<size_t>(relation.identity)];
  out += "\"}\n";
}

void append_begin(std::string& out, Lsn lsn, uint32_t xid, int64_t time_us) {
  append_lsn(out, R"({"type":"begin","lsn":")", lsn);
  out += ",\"xid\":";
  append_number(out, xid);
  out += ",\"time\":\"";
  base::append_iso_time(out, time_us);
  out += "\"}\n";
}

void append_insert(std::string& out, const Relation& relation, std::span<const Value> key, std::span<const Value> row) {
  append_head(out, R"({"type":"insert","table":)", relation);
  append_key(out, relation, key);
  append_row(out, relation, row);
  out += "}\n";
}

void append_update(std::string& out, const Relation& relation, std::span<const Value> key, std::span<const Value> row) {
  append_head(out, R"({"type":"update","table":)", relation);
  append_key(out, relation, key);
  if (append_row(out, relation, row) > 0) {
    out += ",\"unchanged\":[";
    bool first = true;
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i].kind != ValueKind::absent) continue;
      if (!first) out += ',';
      first = false;
      append_json_string(out, relation.columns[i].name);
    }
    out += ']';
  }
  out += "}\n";
}

void append_remove(std::string& out, const Relation& relation, std::span<const Value> key) {
  append_head(out, R"({"type":"delete","table":)", relation);
  append_key(out, relation, key);
  out += "}\n";
}

void append_truncate(std::string& out, std::span<const base::TableName> tables, bool restart_identity, bool cascade) {
  out += R"({"type":"truncate","tables":[)";
  for (size_t i = 0; i < tables.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, tables[i].text());
  }
  out += restart_identity ? "],\"restart_identity\":true" : "],\"restart_identity\":false";
  out += cascade ? ",\"cascade\":true}\n" : ",\"cascade\":false}\n";
}

void append_copy(std::string& out, std::span<const base::TableName> tables) {
  out += R"({"type":"copy","tables":[)";
  for (size_t i = 0; i < tables.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, tables[i].text());
  }
  out += "]}\n";
}

void append_commit(std::string& out, Lsn lsn, Lsn end_lsn, uint64_t changes) {
  append_lsn(out, R"({"type":"commit","lsn":")", lsn);
  append_lsn(out, ",\"end_lsn\":\"", end_lsn);
  out += ",\"changes\":";
  append_number(out, changes);
  out += "}\n";
}

void append_keepalive(std::string& out, Lsn lsn, int64_t time_us) {
  append_lsn(out, R"({"type":"keepalive","lsn":")", lsn);
  out += ",\"time\":\"";
  base::append_iso_time(out, time_us);
  out += "\"}\n";
}

void append_checksum(std::string& commit_line, uint64_t checksum) {
  commit_line.resize(commit_line.size() - 2);  // "}\n"
  commit_line += checksum_head;
  commit_line += base::hex16(checksum);
  commit_line += "\"}\n";
}

size_t checksum_position(std::string_view commit_line) {
  constexpr size_t length = checksum_head.size() + 16 + 2;  // ,"xxh3":"<16>"}
  if (commit_line.size() < length) return std::string_view::npos;
  const size_t at = commit_line.size() - length;
  return commit_line.substr(at, checksum_head.size()) == checksum_head ? at : std::string_view::npos;
}

}  // namespace change
