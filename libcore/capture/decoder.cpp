#include "capture/decoder.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "capture/link.hpp"
#include "change/writer.hpp"
#include "pg/bytes.hpp"
#include "pg/quote.hpp"

namespace capture {
namespace {

using base::Error;
using base::Exit;
using change::Identity;
using change::Relation;
using change::Value;
using change::ValueKind;

constexpr int64_t epoch = 946684800000000;  // 2000-01-01 in microseconds since 1970: the protocol counts from there

Identity identity_of(uint8_t replident) {
  switch (replident) {
    case 'i':
      return Identity::index;
    case 'f':
      return Identity::full;
    case 'n':
      return Identity::nothing;
    default:
      return Identity::primary_key;
  }
}

[[noreturn]] void fail(const std::string& what) { throw Error(Exit::data, "the replication stream: " + what); }

}  // namespace

change::Lsn Decoder::begins(std::string_view message) {
  change::Lsn lsn;
  if (message.empty() || message[0] != 'B') return lsn;
  pg::ByteReader bytes(message.substr(1));
  lsn.value = bytes.u64();
  return lsn;
}

Decoder::Step Decoder::decode(std::string_view message, std::string& out) {
  pg::ByteReader bytes(message);
  const uint8_t type = bytes.byte();
  switch (type) {
    case 'B': {
      commit_lsn_.value = bytes.u64();
      const int64_t time = static_cast<int64_t>(bytes.u64()) + epoch;
      change::append_begin(out, commit_lsn_, bytes.u32(), time);
      changes_ = 0;
      in_transaction_ = true;
      return Step::begin;
    }
    case 'C':
      bytes.skip(1 + 8);
      end_lsn_.value = bytes.u64();
      bytes.skip(8);
      change::append_commit(out, commit_lsn_, end_lsn_, changes_);
      in_transaction_ = false;
      return Step::commit;
    case 'I':
      read_insert(bytes, out);
      return Step::inside;
    case 'U':
      read_update(bytes, out);
      return Step::inside;
    case 'D':
      read_delete(bytes, out);
      return Step::inside;
    case 'T':
      read_truncate(bytes, out);
      return Step::inside;
    case 'R':
      read_relation(bytes);
      return Step::other;
    case 'Y': {
      const uint32_t oid = bytes.u32();
      const std::string_view schema = bytes.text();
      announced_types_[oid] = base::TableName{std::string(schema), std::string(bytes.text())}.text();
      return Step::other;
    }
    case 'O':
      return Step::other;  // where a change first came from: not followed, one primary writes
    default:
      fail(std::string("a message of the unknown type '") + static_cast<char>(type) + "'");
  }
}

void Decoder::read_relation(pg::ByteReader& bytes) {
  const uint32_t oid = bytes.u32();
  Relation relation;
  const std::string_view schema = bytes.text();
  relation.table = {schema.empty() ? "pg_catalog" : std::string(schema), std::string(bytes.text())};
  relation.text = relation.table.text();
  relation.identity = identity_of(bytes.byte());
  const uint16_t columns = bytes.u16();
  for (uint16_t i = 0; i < columns; ++i) {
    // The flag stands on every column under FULL (relation.c): there the whole row is the key.
    if ((bytes.byte() & 1) != 0) relation.key.push_back(i);
    change::Column column;
    column.name = bytes.text();
    const uint32_t type = bytes.u32();
    bytes.skip(4);
    column.type = lookup_.type_name(type);
    // A type that was dropped since is known only by the message that came before this one.
    if (column.type.empty()) column.type = announced_types_[type];
    if (column.type.empty()) fail("column " + column.name + " of " + relation.text + " has a type that is no more");
    column.json = change::json_kind(column.type);
    relation.columns.push_back(std::move(column));
  }
  lookup_.describe(oid, relation);
  Known& known = relations_[oid];
  known.announced = known.announced && known.relation == relation;
  known.relation = std::move(relation);
}

const Relation& Decoder::relation_of(pg::ByteReader& bytes, std::string& out) {
  const auto found = relations_.find(bytes.u32());
  if (found == relations_.end()) fail("a change of a table that was not announced");
  Known& known = found->second;
  if (!known.announced) change::append_relation(out, known.relation);
  known.announced = true;
  return known.relation;
}

void Decoder::read_row(pg::ByteReader& bytes, const Relation& relation, Row& row) {
  const uint16_t columns = bytes.u16();
  if (columns != relation.columns.size()) fail("a row of another width than its table " + relation.text);
  row.clear();
  for (uint16_t i = 0; i < columns; ++i) {
    switch (bytes.byte()) {
      case 'n':
        row.push_back(Value::null_value());
        break;
      case 'u':
        row.emplace_back();
        break;
      case 't':
        row.push_back(Value::of(bytes.take(bytes.u32())));
        break;
      default:
        fail("a value that is not in text form");
    }
  }
}

void Decoder::take_key(const Relation& relation, const Row& row) {
  key_.clear();
  for (const uint16_t i : relation.key) key_.push_back(row[i]);
}

void Decoder::read_insert(pg::ByteReader& bytes, std::string& out) {
  const size_t from = out.size();
  const Relation& relation = relation_of(bytes, out);
  if (bytes.byte() != 'N') fail("an insert without a new row");
  read_row(bytes, relation, new_row_);
  // A row that enters a filter's condition by an update is sent as an insert, and lacks what the update left as it was.
  for (size_t i = 0; i < new_row_.size(); ++i)
    if (new_row_[i].kind == ValueKind::absent)
      fail("a row that enters the filter of " + relation.text + " without its " + relation.columns[i].name +
           "; ALTER TABLE " + pg::quote_table(relation.table) + " REPLICA IDENTITY FULL, then begin again");
  take_key(relation, new_row_);
  change::append_insert(out, relation, key_, new_row_);
  finish(out, from, relation, new_row_);
}

void Decoder::read_update(pg::ByteReader& bytes, std::string& out) {
  const size_t from = out.size();
  const Relation& relation = relation_of(bytes, out);
  uint8_t part = bytes.byte();
  const uint8_t old_part = part;
  if (part == 'K' || part == 'O') {
    read_row(bytes, relation, old_row_);
    part = bytes.byte();
  }
  if (part != 'N') fail("an update without a new row");
  read_row(bytes, relation, new_row_);
  if (old_part == 'N') {
    take_key(relation, new_row_);
  } else {
    take_key(relation, old_row_);
    // A TOASTed value that did not change is missing in the new row, but stands in the old one: under FULL for every
    // column, else for those of the key ('K' pads all others with nulls that mean nothing).
    for (const uint16_t i : relation.key)
      if (new_row_[i].kind == ValueKind::absent) new_row_[i] = old_row_[i];
  }
  change::append_update(out, relation, key_, new_row_);
  finish(out, from, relation, new_row_);
}

void Decoder::read_delete(pg::ByteReader& bytes, std::string& out) {
  const size_t from = out.size();
  const Relation& relation = relation_of(bytes, out);
  const uint8_t part = bytes.byte();
  if (part != 'K' && part != 'O') fail("a delete without an old row");
  read_row(bytes, relation, old_row_);
  take_key(relation, old_row_);
  change::append_remove(out, relation, key_);
  finish(out, from, relation, old_row_);
}

// One more change, whose lines start at `from`; `row` is what it brought.
void Decoder::finish(const std::string& out, size_t from, const Relation& relation, const Row& row) {
  ++changes_;
  if (lookup_.any_bytes && base::find_bad_utf8(out.data() + from, out.data() + out.size()) != nullptr)
    refuse_text(relation, row);
}

// The statement is for what most such text is. The row's key is the user's, and no word for a log.
void Decoder::refuse_text(const Relation& relation, const Row& row) const {
  std::string what = "a name";
  std::string mend = "rename it";
  const auto look = [&](const change::Column& column, const Value& value) {
    if (value.kind != ValueKind::text) return;
    const std::string_view text = value.text();
    if (base::find_bad_utf8(text.data(), text.data() + text.size()) == nullptr) return;
    const std::string name = pg::quote_identifier(column.name);
    what = "the column " + column.name;
    mend = "UPDATE " + pg::quote_table(relation.table) + " SET " + name + " = convert_from(convert(convert_to(" + name +
           "::text, 'SQL_ASCII'), 'LATIN1', 'UTF8'), 'SQL_ASCII')::" + column.type +
           " WHERE … if it is LATIN1, or from what else it is";
  };
  for (size_t i = 0; i < key_.size() && i < relation.key.size(); ++i) look(relation.columns[relation.key[i]], key_[i]);
  for (size_t i = 0; i < row.size(); ++i) look(relation.columns[i], row[i]);
  fail("operation " + commit_lsn_.text() + "#" + std::to_string(changes_) + " on " + relation.text + ": " + what +
       " holds bytes that are no UTF-8, which no stream can carry; " + mend +
       "; the WAL keeps what was written before, and no capture gets past it, so then " + begin_again);
}

void Decoder::read_truncate(pg::ByteReader& bytes, std::string& out) {
  const uint32_t count = bytes.u32();
  const uint8_t options = bytes.byte();
  std::vector<base::TableName> tables;
  for (uint32_t i = 0; i < count; ++i) tables.push_back(relation_of(bytes, out).table);
  change::append_truncate(out, tables, (options & 2) != 0, (options & 1) != 0);
  ++changes_;
}

}  // namespace capture
