// What the tools pass to each other, as plain values: the shape of a table, a row's values, and one line of the
// change format taken apart. Owns no memory but names; values point into a buffer or an arena of the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/table_name.hpp"
#include "change/lsn.hpp"

namespace change {

// One column's value, in PostgreSQL's text form ("t" and "f" for bool).
enum class ValueKind : uint8_t {
  absent,  // not sent: an unchanged TOASTed value, or a column that a filter took out. Never NULL.
  null,
  text,
};
struct Value {
  const char* data = nullptr;
  uint32_t size = 0;
  ValueKind kind = ValueKind::absent;
  std::string_view text() const { return {data, size}; }
  static Value null_value() { return {nullptr, 0, ValueKind::null}; }
  static Value of(std::string_view text) { return {text.data(), static_cast<uint32_t>(text.size()), ValueKind::text}; }
};

// How a type's values are written in JSON: only what every JSON reader keeps whole is not a string.
enum class JsonKind : uint8_t { string, number, boolean };
// `type` as format_type() gives it: "integer", "smallint" and "oid" are numbers, "boolean" true or false.
JsonKind json_kind(std::string_view type);

struct Column {
  std::string name;
  std::string type;  // as format_type(oid, NULL) gives it: qualified unless built in
  JsonKind json = JsonKind::string;
  // What another server needs to have the column, too; empty where there is nothing beyond `type`.
  std::string definition{};     // the type with its modifiers, COLLATE and NOT NULL, as ADD COLUMN takes them
  std::string default_value{};  // an expression
  std::string missing{};        // an SQL literal: the value of rows that were there before the column was added
  bool operator==(const Column&) const = default;
};

enum class Identity : uint8_t { primary_key, index, full, nothing };

struct Relation {
  base::TableName table;
  std::string text;  // table.text(), as lines carry it
  std::vector<Column> columns;
  std::vector<uint16_t> key;  // positions in `columns`, ascending; every column under FULL; none without an identity
  Identity identity = Identity::primary_key;
  bool operator==(const Relation&) const = default;
};

// Where a stream comes from. A new slot is a new source, even under the old name: what an old slot had seen says
// nothing about it.
struct Source {
  std::string system_id;  // of the primary's cluster, decimal
  uint32_t timeline = 0;
  std::string slot;
  Lsn created;  // the slot's consistent point: the first change it gives lies after it
  bool operator==(const Source&) const = default;
  // One word for progress rows and messages: "7314…/pgtandem_backup/0/1A2B3C8".
  std::string id() const { return system_id + "/" + slot + "/" + created.text(); }
};

enum class EventType : uint8_t { source, relation, begin, insert, update, remove, truncate, copy, commit, keepalive };

// One line taken apart. Spans and pointers are valid as the reader says.
struct Event {
  EventType type = EventType::keepalive;
  Lsn lsn;      // begin, commit: the commit LSN; keepalive: nothing at or before it is still to come; source: start
  Lsn end_lsn;  // commit
  uint32_t xid = 0;         // begin
  int64_t time = 0;         // begin: commit time, microseconds since 1970
  uint64_t changes = 0;     // commit: changes in the transaction, as its writer counted
  uint64_t operations = 0;  // source, in a segment: operations in the spool before it
  uint64_t ordinal = 0;     // insert, update, remove, truncate, copy: from 1 within its transaction
  uint64_t checksum = 0;    // commit, in a segment
  bool has_checksum = false;
  const Relation* relation = nullptr;   // relation, insert, update, remove
  std::span<Value> key;                 // as relation->key; empty if the line carries none
  std::span<Value> row;                 // as relation->columns; insert, update
  std::vector<base::TableName> tables;  // truncate, copy
  std::vector<const Relation*> shapes;  // as tables; nullptr where no relation line came before it
  bool restart_identity = false;        // truncate
  bool cascade = false;                 // truncate
  Source source;                        // source
  std::optional<Lsn> cut;               // source, of a comparison: where both sides were looked at
};

}  // namespace change
