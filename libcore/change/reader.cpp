#include "change/reader.hpp"

#include <simdjson.h>

#include <deque>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"

namespace change {
namespace {

namespace od = simdjson::ondemand;

// A member's place among those a line may have; each may come once.
enum Member : unsigned {
  m_type, m_table, m_columns, m_key, m_identity, m_lsn, m_end_lsn, m_xid, m_time, m_new, m_unchanged, m_tables,
  m_restart_identity, m_cascade, m_changes, m_xxh3, m_system_id, m_timeline, m_slot, m_created, m_operations, m_count
};
constexpr std::string_view member_names[m_count] = {
    "type", "table", "columns", "key", "identity", "lsn", "end_lsn", "xid", "time", "new", "unchanged", "tables",
    "restart_identity", "cascade", "changes", "xxh3", "system_id", "timeline", "slot", "created", "operations"};

constexpr unsigned bit(Member m) { return 1U << m; }

struct Form {
  std::string_view name;
  EventType type;
  unsigned required;
  unsigned allowed;
};
constexpr Form forms[] = {
    {"insert", EventType::insert, bit(m_table) | bit(m_new), bit(m_key)},
    {"update", EventType::update, bit(m_table) | bit(m_new) | bit(m_key), bit(m_unchanged)},
    {"delete", EventType::remove, bit(m_table) | bit(m_key), 0},
    {"begin", EventType::begin, bit(m_lsn), bit(m_xid) | bit(m_time)},
    {"commit", EventType::commit, bit(m_lsn) | bit(m_end_lsn), bit(m_changes) | bit(m_xxh3)},
    {"relation", EventType::relation, bit(m_table) | bit(m_columns) | bit(m_key), bit(m_identity)},
    {"truncate", EventType::truncate, bit(m_tables), bit(m_restart_identity) | bit(m_cascade)},
    {"keepalive", EventType::keepalive, bit(m_lsn), bit(m_time)},
    {"source", EventType::source, bit(m_system_id) | bit(m_timeline) | bit(m_slot) | bit(m_created) | bit(m_lsn),
     bit(m_operations)},
};

// Names are quoted in messages only as far as a person reads them, and never with bytes that upset a terminal.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text.size() > 80 ? out + "..." : out;
}

}  // namespace

struct Reader::State {
  std::string name;
  od::parser parser;
  std::deque<Relation> relations;  // all that ever were: events point to them
  std::unordered_map<std::string, const Relation*> current;
  const Relation* last = nullptr;
  bool in_transaction = false;
  Lsn begin_lsn;
  uint64_t ordinal = 0;
  Event event;

  std::string_view line;
  size_t line_number = 0;

  [[noreturn]] void fail(const char* at, const std::string& what) const {
    const bool inside = at >= line.data() && at <= line.data() + line.size();
    throw base::Error(base::Exit::data, name + ":" + std::to_string(line_number) + ":" +
                                            std::to_string(inside ? at - line.data() + 1 : 1) + ": " + what);
  }

  // The value of a simdjson call, or the refusal that its error code means.
  template <class T>
  T take(simdjson::simdjson_result<T> result, const char* at, const char* wanted) {
    T value;
    const auto code = std::move(result).get(value);
    if (code == simdjson::SUCCESS) return value;
    if (code == simdjson::INCORRECT_TYPE || code == simdjson::NUMBER_ERROR || code == simdjson::NUMBER_OUT_OF_RANGE ||
        code == simdjson::N_ATOM_ERROR || code == simdjson::F_ATOM_ERROR || code == simdjson::T_ATOM_ERROR)
      fail(at, std::string("wrong type: ") + wanted + " expected");
    fail(at, std::string("malformed JSON: ") + simdjson::error_message(code));
  }
  static const char* place(od::value& value) { return value.raw_json_token().data(); }

  std::string_view string_of(od::value value, const char* wanted = "a string") {
    const char* at = place(value);
    return take(value.get_string(), at, wanted);
  }
  bool bool_of(od::value value) {
    const char* at = place(value);
    return take(value.get_bool(), at, "true or false");
  }
  uint64_t number_of(od::value value, uint64_t limit) {
    const char* at = place(value);
    const uint64_t number = take(value.get_uint64(), at, "a whole number");
    if (number > limit) fail(at, "a number out of range");
    return number;
  }
  Lsn lsn_of(od::value value) {
    const char* at = place(value);
    Lsn lsn;
    if (!Lsn::parse(take(value.get_string(), at, "an LSN string"), lsn)) fail(at, "not an LSN; 0/1A2B3C8 would be one");
    return lsn;
  }
  int64_t time_of(od::value value) {
    const char* at = place(value);
    const int64_t time = base::parse_iso_time(take(value.get_string(), at, "a time string"));
    if (time < 0) fail(at, "not a time; 2026-11-23T04:05:06.123456Z would be one");
    return time;
  }
  base::TableName table_of(std::string_view text, const char* at) {
    base::TableName table;
    std::string why;
    if (!base::parse_table_name(text, table, why)) fail(at, "`" + shown(text) + "` is not a table name: " + why);
    return table;
  }

  size_t column_at(const Relation& relation, std::string_view column, size_t hint, const char* at) {
    if (hint < relation.columns.size() && relation.columns[hint].name == column) return hint;
    for (size_t i = 0; i < relation.columns.size(); ++i)
      if (relation.columns[i].name == column) return i;
    fail(at, "no column `" + shown(column) + "` in " + relation.text);
  }

  Value value_of(od::value json, const Column& column, base::Arena& arena) {
    const std::string_view token = json.raw_json_token();
    const char* at = token.data();
    if (token[0] == 'n') {
      if (!take(json.is_null(), at, "null")) fail(at, "malformed JSON: not null");
      return Value::null_value();
    }
    switch (column.json) {
      case JsonKind::string: {
        const std::string_view text = take(json.get_string(), at, "a string or null");
        if (std::memchr(text.data(), 0, text.size()) != nullptr)
          fail(at, "column `" + shown(column.name) + "` holds a NUL, which no PostgreSQL text can");
        return Value::of({arena.copy(text), text.size()});
      }
      case JsonKind::boolean: return Value::of(take(json.get_bool(), at, "true, false or null") ? "t" : "f");
      case JsonKind::number: break;
    }
    const int64_t number = take(json.get_int64(), at, "a whole number or null");
    const int64_t low = column.type == "smallint" ? -32768 : column.type == "oid" ? 0 : INT32_MIN;
    const int64_t high = column.type == "smallint" ? 32767 : column.type == "oid" ? UINT32_MAX : INT32_MAX;
    if (number < low || number > high) fail(at, "a number out of range for " + column.type);
    const std::string text = std::to_string(number);
    return Value::of({arena.copy(text), text.size()});
  }

  // {"column":value,…} into `values`, which has a place for each of `columns` (positions in the relation).
  void read_row(od::value json, const Relation& relation, std::span<Value> values, base::Arena& arena) {
    const char* start = place(json);
    od::object object = take(json.get_object(), start, "an object");
    size_t hint = 0;
    for (auto member : object) {
      od::field field = take(std::move(member), start, "a member");
      const char* at = field.key().raw();
      const std::string_view column = take(field.unescaped_key(), at, "a name");
      const size_t i = column_at(relation, column, hint, at);
      if (values[i].kind != ValueKind::absent) fail(at, "column `" + shown(column) + "` twice");
      values[i] = value_of(field.value(), relation.columns[i], arena);
      hint = i + 1;
    }
  }

  void read_key(od::value json, const Relation& relation, base::Arena& arena) {
    const char* at = place(json);
    std::span<Value> all(arena.array<Value>(relation.columns.size()), relation.columns.size());
    read_row(json, relation, all, arena);
    std::span<Value> key(arena.array<Value>(relation.key.size()), relation.key.size());
    size_t given = 0;
    for (const Value& value : all) given += value.kind != ValueKind::absent;
    for (size_t i = 0; i < key.size(); ++i) key[i] = all[relation.key[i]];
    for (size_t i = 0; i < key.size(); ++i)
      if (key[i].kind == ValueKind::absent)
        fail(at, "the key lacks column `" + shown(relation.columns[relation.key[i]].name) + "` of " + relation.text);
    if (given != key.size()) fail(at, "the key has columns that are not in the key of " + relation.text);
    event.key = key;
  }

  void read_unchanged(od::value json, const Relation& relation) {
    const char* start = place(json);
    for (auto element : take(json.get_array(), start, "an array")) {
      od::value value = take(std::move(element), start, "a column name");
      const char* at = place(value);
      const std::string_view column = take(value.get_string(), at, "a column name");
      column_at(relation, column, 0, at);
      unchanged.push_back(std::string(column));
    }
  }
  std::vector<std::string> unchanged;

  void read_columns(od::value json, Relation& relation) {
    const char* start = place(json);
    for (auto element : take(json.get_array(), start, "an array")) {
      od::value item = take(std::move(element), start, "a column");
      const char* at = place(item);
      Column column;
      bool has_name = false;
      bool has_type = false;
      for (auto member : take(item.get_object(), at, "an object")) {
        od::field field = take(std::move(member), at, "a member");
        const std::string_view key = take(field.unescaped_key(), at, "a name");
        const bool is_name = key == "name";
        if (!is_name && key != "type") fail(at, "unknown member `" + shown(key) + "` of a column");
        if (is_name ? has_name : has_type) fail(at, "member `" + shown(key) + "` twice");
        (is_name ? has_name : has_type) = true;
        (is_name ? column.name : column.type) = string_of(field.value());
      }
      if (!has_name || !has_type) fail(at, "a column needs a name and a type");
      if (column.name.empty() || column.name.find('\0') != std::string::npos) fail(at, "not a column name");
      column.json = json_kind(column.type);
      for (const Column& other : relation.columns)
        if (other.name == column.name) fail(at, "column `" + shown(column.name) + "` twice");
      relation.columns.push_back(std::move(column));
    }
    if (relation.columns.size() > 1600) fail(start, "more columns than a table may have");
  }

  const Relation* relation_of(std::string_view text, const char* at) {
    if (last != nullptr && last->text == text) return last;
    auto found = current.find(std::string(text));
    if (found == current.end()) {
      found = current.find(table_of(text, at).text());
      if (found == current.end()) fail(at, "no relation line for `" + shown(text) + "` before its first change");
    }
    return last = found->second;
  }

  const Relation* keep(Relation&& relation) {
    const auto found = current.find(relation.text);
    if (found != current.end() && *found->second == relation) return found->second;
    relations.push_back(std::move(relation));
    last = nullptr;
    return current[relations.back().text] = &relations.back();
  }

  void read_line(base::Arena& arena);
  void read_row_members(od::object& object, const Form& form, base::Arena& arena);
  void read_other_members(od::object& object, const Form& form);
  void follow(const Form& form);
};

namespace {

unsigned member_of(std::string_view key) {
  for (unsigned m = 0; m < m_count; ++m)
    if (member_names[m] == key) return m;
  return m_count;
}

}  // namespace

// Members of insert, update and delete. "table" has to be known before the row: a line that names it later (jq -S
// sorts members) is read again from its start.
void Reader::State::read_row_members(od::object& object, const Form& form, base::Arena& arena) {
  const Relation* relation = nullptr;
  unsigned seen = 0;
  unchanged.clear();
  for (int round = 0; round < 2; ++round) {
    seen = 0;
    bool again = false;
    for (auto item : object) {
      od::field field = take(std::move(item), line.data(), "a member");
      const char* at = field.key().raw();
      const std::string_view key = take(field.unescaped_key(), at, "a name");
      const unsigned m = member_of(key);
      if (m == m_count || !((bit(m_type) | form.required | form.allowed) >> m & 1))
        fail(at, "unknown member `" + shown(key) + "` in " + std::string(form.name));
      if (seen >> m & 1) fail(at, "member `" + shown(key) + "` twice");
      seen |= 1U << m;
      od::value value = field.value();
      if (m == m_type) {
        string_of(value);
      } else if (m == m_table) {
        const char* table_at = place(value);
        relation = relation_of(take(value.get_string(), table_at, "a string"), table_at);
      } else if (relation == nullptr) {
        again = true;
      } else if (m == m_key) {
        read_key(value, *relation, arena);
      } else if (m == m_new) {
        event.row = {arena.array<Value>(relation->columns.size()), relation->columns.size()};
        read_row(value, *relation, event.row, arena);
      } else if (m == m_unchanged) {
        read_unchanged(value, *relation);
      }
    }
    if (!again || relation == nullptr) break;
    object.reset();
  }
  if ((seen & form.required) != form.required) {
    for (unsigned m = 0; m < m_count; ++m)
      if ((form.required & ~seen) >> m & 1) fail(line.data(), "no `" + std::string(member_names[m]) + "`");
  }
  for (const std::string& column : unchanged)
    if (event.row[column_at(*relation, column, 0, line.data())].kind != ValueKind::absent)
      fail(line.data(), "column `" + shown(column) + "` both new and unchanged");
  if (form.type != EventType::insert && relation->key.empty())
    fail(line.data(), relation->text + " has no key, so it can have no " + std::string(form.name));
  event.relation = relation;
}

void Reader::State::read_other_members(od::object& object, const Form& form) {
  unsigned seen = 0;
  Relation relation;
  std::vector<std::string> key_columns;
  for (auto item : object) {
    od::field field = take(std::move(item), line.data(), "a member");
    const char* at = field.key().raw();
    const std::string_view key = take(field.unescaped_key(), at, "a name");
    const unsigned m = member_of(key);
    if (m == m_count || !((bit(m_type) | form.required | form.allowed) >> m & 1))
      fail(at, "unknown member `" + shown(key) + "` in " + std::string(form.name));
    if (seen >> m & 1) fail(at, "member `" + shown(key) + "` twice");
    seen |= 1U << m;
    od::value value = field.value();
    const char* value_at = place(value);
    switch (m) {
      case m_lsn: event.lsn = lsn_of(value); break;
      case m_end_lsn: event.end_lsn = lsn_of(value); break;
      case m_created: event.source.created = lsn_of(value); break;
      case m_xid: event.xid = static_cast<uint32_t>(number_of(value, UINT32_MAX)); break;
      case m_time: event.time = time_of(value); break;
      case m_changes: event.changes = number_of(value, UINT64_MAX); break;
      case m_operations: event.operations = number_of(value, UINT64_MAX); break;
      case m_timeline: event.source.timeline = static_cast<uint32_t>(number_of(value, UINT32_MAX)); break;
      case m_system_id: event.source.system_id = string_of(value); break;
      case m_slot: event.source.slot = string_of(value); break;
      case m_restart_identity: event.restart_identity = bool_of(value); break;
      case m_cascade: event.cascade = bool_of(value); break;
      case m_xxh3:
        event.has_checksum = true;
        if (!base::parse_hex16(string_of(value), event.checksum)) fail(value_at, "not a checksum of 16 hex digits");
        break;
      case m_table: relation.table = table_of(string_of(value), value_at); break;
      case m_columns: read_columns(value, relation); break;
      case m_key:
        for (auto element : take(value.get_array(), value_at, "an array"))
          key_columns.push_back(std::string(string_of(take(std::move(element), value_at, "a column name"))));
        break;
      case m_identity: {
        const std::string_view identity = string_of(value);
        if (identity == "default") relation.identity = Identity::primary_key;
        else if (identity == "index") relation.identity = Identity::index;
        else if (identity == "full") relation.identity = Identity::full;
        else if (identity == "nothing") relation.identity = Identity::nothing;
        else fail(value_at, "identity is one of default, index, full, nothing");
        break;
      }
      case m_tables:
        for (auto element : take(value.get_array(), value_at, "an array"))
          event.tables.push_back(table_of(string_of(take(std::move(element), value_at, "a table name")), value_at));
        if (event.tables.empty()) fail(value_at, "no tables to truncate");
        break;
      default: string_of(value); break;  // type, known already
    }
  }
  if ((seen & form.required) != form.required) {
    for (unsigned m = 0; m < m_count; ++m)
      if ((form.required & ~seen) >> m & 1) fail(line.data(), "no `" + std::string(member_names[m]) + "`");
  }
  if (form.type != EventType::relation) return;
  relation.text = relation.table.text();
  for (const std::string& column : key_columns) {
    const size_t i = column_at(relation, column, 0, line.data());
    for (const uint16_t other : relation.key)
      if (other == i) fail(line.data(), "column `" + shown(column) + "` twice in the key");
    relation.key.push_back(static_cast<uint16_t>(i));
  }
  event.relation = keep(std::move(relation));
}

void Reader::State::read_line(base::Arena& arena) {
  od::document document;
  if (const auto code = parser.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING).get(document))
    fail(line.data(), line.empty() ? "an empty line" : std::string("malformed JSON: ") + simdjson::error_message(code));
  od::object object = take(document.get_object(), line.data(), "an object");
  std::string_view type;
  {
    od::value value;
    const auto code = object.find_field_unordered("type").get(value);
    if (code == simdjson::NO_SUCH_FIELD) fail(line.data(), "no `type`");
    if (code) fail(line.data(), std::string("malformed JSON: ") + simdjson::error_message(code));
    type = string_of(value);
  }
  const Form* form = nullptr;
  for (const Form& f : forms)
    if (f.name == type) form = &f;
  if (form == nullptr) fail(line.data(), "unknown type `" + shown(type) + "`");
  object.reset();
  event = Event{};
  event.type = form->type;
  const bool row = form->type == EventType::insert || form->type == EventType::update || form->type == EventType::remove;
  if (row)
    read_row_members(object, *form, arena);
  else
    read_other_members(object, *form);
  const char* after = nullptr;  // simdjson 3.0 tells the end of the document by refusing to give a place in it
  if (document.current_location().get(after) == simdjson::SUCCESS) fail(after, "malformed JSON: text after the object");
  follow(*form);
}

// The order of lines: a transaction is begin, changes, commit with begin's LSN.
void Reader::State::follow(const Form& form) {
  switch (form.type) {
    case EventType::begin:
      if (in_transaction) fail(line.data(), "a begin inside the transaction " + begin_lsn.text());
      in_transaction = true;
      begin_lsn = event.lsn;
      ordinal = 0;
      break;
    case EventType::commit:
      if (!in_transaction) fail(line.data(), "a commit without its begin");
      if (event.lsn != begin_lsn) fail(line.data(), "a commit of " + event.lsn.text() + " in " + begin_lsn.text());
      if (event.end_lsn <= event.lsn) fail(line.data(), "end_lsn is not after lsn");
      in_transaction = false;
      break;
    case EventType::insert:
    case EventType::update:
    case EventType::remove:
    case EventType::truncate:
      if (!in_transaction) fail(line.data(), "a change outside a transaction");
      event.ordinal = ++ordinal;
      break;
    case EventType::source:
    case EventType::keepalive:
      if (in_transaction) fail(line.data(), "a " + std::string(form.name) + " inside a transaction");
      break;
    case EventType::relation: break;
  }
}

Reader::Reader(std::string name) : state_(std::make_unique<State>()) { state_->name = std::move(name); }
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

const Event& Reader::read(std::string_view line, size_t line_number, base::Arena& arena) {
  state_->line = line;
  state_->line_number = line_number;
  state_->read_line(arena);
  return state_->event;
}

bool Reader::in_transaction() const { return state_->in_transaction; }

std::vector<const Relation*> Reader::relations() const {
  std::vector<const Relation*> all;
  for (const auto& [text, relation] : state_->current) all.push_back(relation);
  return all;
}

const Relation* Reader::relation(const std::string& table_text) const {
  const auto found = state_->current.find(table_text);
  return found == state_->current.end() ? nullptr : found->second;
}

void Reader::forget_transaction() { state_->in_transaction = false; }

}  // namespace change
