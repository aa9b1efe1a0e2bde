#include "change/reader.hpp"

#include <bit>
#include <charconv>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "change/forms.hpp"
#include "change/json_cursor.hpp"
#include "change/relation_line.hpp"
#include "change/rows.hpp"
#include "change/shapes.hpp"

namespace change {
namespace {

// How far a line is read: what kind it is, and where its members go on.
struct Head {
  const Form* form = nullptr;
  Shape* shape = nullptr;  // of a row
  unsigned seen = 0;       // members read, as bits
  size_t next = 0;         // the one of form->members that comes next if the writer wrote the line
  bool inside = false;     // there is another one at the cursor
};

}  // namespace

struct Reader::State {
  Place place;
  Shapes shapes;
  RowReader rows{place};
  RelationReader relation_line{place};
  bool in_transaction = false;
  Lsn begin_lsn;
  uint64_t ordinal = 0;
  Event event;
  std::string name;  // a member's name and a value, where they have escapes and can't be pointed to in the line
  std::string text;

  void read_line(base::Arena& arena);
  Head read_head(JsonCursor& json);
  Head look_ahead(JsonCursor& json);
  const Form& form_of(JsonCursor& json);
  unsigned read_name(JsonCursor& json, Head& head);
  void read_row_members(JsonCursor& json, Head& head, base::Arena& arena);
  void read_other_members(JsonCursor& json, Head& head);
  void follow();

  [[noreturn]] void fail(const char* at, const std::string& what) const { place.fail(at, what); }
  const char* start() const { return place.line.data(); }

  uint64_t number_of(JsonCursor& json, uint64_t limit) const {
    const char* at = json.at();
    const std::string_view digits = json.digits("a whole number");
    uint64_t number = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failed != std::errc() || number > limit) fail(at, "a number out of range");
    return number;
  }
  Lsn lsn_of(JsonCursor& json) {
    const char* at = json.at();
    Lsn lsn;
    if (!Lsn::parse(json.string(text, "an LSN string"), lsn)) fail(at, "not an LSN; 0/1A2B3C8 would be one");
    return lsn;
  }
  int64_t time_of(JsonCursor& json) {
    const char* at = json.at();
    const int64_t time = base::parse_iso_time(json.string(text, "a time string"));
    if (time < 0) fail(at, "not a time; 2026-11-23T04:05:06.123456Z would be one");
    return time;
  }
  // A string of only these characters, and not more of them than `limit`.
  std::string word_of(JsonCursor& json, std::string_view characters, size_t limit, const char* wanted) {
    const char* at = json.at();
    const std::string_view word = json.string(text, "a string");
    if (word.empty() || word.size() > limit || word.find_first_not_of(characters) != word.npos)
      fail(at, std::string("not ") + wanted);
    return std::string(word);
  }
  base::TableName table_of(JsonCursor& json) {
    const char* at = json.at();
    return parse_table(json.string(text, "a table name"), at);
  }
  base::TableName parse_table(std::string_view table_text, const char* at) const {
    base::TableName table;
    std::string why;
    if (!base::parse_table_name(table_text, table, why))
      fail(at, "`" + shown(table_text) + "` is not a table name: " + why);
    return table;
  }
  Shape& shape_of(JsonCursor& json) {
    if (shapes.last() != nullptr && json.spelled(shapes.last()->quoted)) return *shapes.last();
    const char* at = json.at();
    const std::string_view table_text = json.string(text, "a table name");
    Shape* shape = shapes.find(table_text);
    if (shape == nullptr) shape = shapes.find(parse_table(table_text, at).text());
    if (shape == nullptr) fail(at, "no relation line for `" + shown(table_text) + "` before its first change");
    return *shape;
  }
};

const Form& Reader::State::form_of(JsonCursor& json) {
  for (const Form& form : forms)
    if (json.spelled(form.quoted)) return form;
  const char* at = json.at();
  const std::string_view type = json.string(text, "a string");
  for (const Form& form : forms)
    if (form.name == type) return form;
  fail(at, "unknown type `" + shown(type) + "`");
}

// The type, and for a row its table, have to be known before anything else. They come first as we write lines.
Head Reader::State::read_head(JsonCursor& json) {
  const JsonCursor start_of_line = json;
  Head head;
  head.inside = json.open('{', "an object");
  if (head.inside && json.spelled(member_labels[m_type])) {
    head.form = &form_of(json);
    head.seen = bit(m_type);
    head.inside = json.more('}');
    if (!head.form->row) return head;
    if (head.inside && json.spelled(member_labels[m_table])) {
      head.shape = &shape_of(json);
      head.seen |= bit(m_table);
      head.next = 1;
      head.inside = json.more('}');
      return head;
    }
  }
  json = start_of_line;
  return look_ahead(json);
}

// The same where a program in between has moved them (jq -S sorts members): look for them, and read again from the
// start.
Head Reader::State::look_ahead(JsonCursor& json) {
  Head head;
  JsonCursor ahead = json;
  JsonCursor table = json;
  bool has_table = false;
  ahead.each('{', "an object", [&] {
    const unsigned m = member_of(ahead.name(name));
    if (m == m_type && head.form == nullptr) {
      head.form = &form_of(ahead);
      return;
    }
    if (m == m_table && !has_table) {
      has_table = true;
      table = ahead;
    }
    ahead.skip();
  });
  if (head.form == nullptr) fail(start(), "no `type`");
  if (head.form->row) {
    if (!has_table) fail(start(), "no `table`");
    head.shape = &shape_of(table);
  }
  head.inside = json.open('{', "an object");
  return head;
}

// The name at the cursor: a member that this form has and this line had not.
unsigned Reader::State::read_name(JsonCursor& json, Head& head) {
  const char* at = json.at();
  unsigned m = head.form->members[head.next];
  if (m != m_count && json.spelled(member_labels[m])) {
    ++head.next;
  } else {
    const std::string_view member = json.name(name);
    m = member_of(member);
    if (!head.form->has(m)) fail(at, "unknown member `" + shown(member) + "` in " + std::string(head.form->name));
  }
  if (head.seen & bit(m)) fail(at, "member `" + std::string(member_names[m]) + "` twice");
  head.seen |= bit(m);
  return m;
}

void Reader::State::read_row_members(JsonCursor& json, Head& head, base::Arena& arena) {
  Shape& shape = *head.shape;
  const Relation& relation = shape.relation;
  if (event.type != EventType::insert && relation.key.empty() && relation.identity != Identity::full)
    fail(start(), relation.text + " has no key, so it can have no " + std::string(head.form->name));
  const std::span<Value> key{arena.array<Value>(relation.key.size()), relation.key.size()};
  const size_t row_size = event.type == EventType::remove ? 0 : relation.columns.size();
  const std::span<Value> row{arena.array<Value>(row_size), row_size};
  char* const texts = arena.room(json.left() + JsonCursor::beyond);
  char* to = texts;
  rows.clear();
  for (; head.inside; head.inside = json.more('}')) {
    switch (read_name(json, head)) {
      case m_key:
        rows.read_key(json, shape, key, to);
        event.key = key;
        break;
      case m_new:
        rows.read_row(json, shape, row, to);
        break;
      case m_unchanged:
        rows.read_unchanged(json, shape);
        break;
      default:
        json.skip();
        break;  // type and table, read already
    }
  }
  arena.take(static_cast<size_t>(to - texts));
  rows.check_unchanged(shape, row);
  event.row = row;
  event.relation = &relation;
}

void Reader::State::read_other_members(JsonCursor& json, Head& head) {
  if (event.type == EventType::relation) relation_line.clear();
  for (; head.inside; head.inside = json.more('}')) {
    const unsigned m = read_name(json, head);
    const char* at = json.at();
    switch (m) {
      case m_lsn:
        event.lsn = lsn_of(json);
        break;
      case m_end_lsn:
        event.end_lsn = lsn_of(json);
        break;
      case m_created:
        event.source.created = lsn_of(json);
        break;
      case m_xid:
        event.xid = static_cast<uint32_t>(number_of(json, UINT32_MAX));
        break;
      case m_time:
        event.time = time_of(json);
        break;
      case m_changes:
        event.changes = number_of(json, UINT64_MAX);
        break;
      case m_cut:
        event.cut = lsn_of(json);
        break;
      case m_operations:
        event.operations = number_of(json, UINT64_MAX);
        break;
      case m_timeline:
        event.source.timeline = static_cast<uint32_t>(number_of(json, UINT32_MAX));
        break;
      case m_system_id:
        event.source.system_id = word_of(json, "0123456789", 20, "a system identifier");
        break;
      case m_slot:
        event.source.slot = word_of(json, "abcdefghijklmnopqrstuvwxyz0123456789_", 63, "a replication slot's name");
        break;
      case m_restart_identity:
        event.restart_identity = json.boolean("true or false");
        break;
      case m_cascade:
        event.cascade = json.boolean("true or false");
        break;
      case m_xxh3:
        event.has_checksum = true;
        if (!base::parse_hex16(json.string(text, "a string"), event.checksum))
          fail(at, "not a checksum of 16 hex digits");
        break;
      case m_table:
        relation_line.read_table(table_of(json));
        break;
      case m_tables:
        json.each('[', "an array", [&] { event.tables.push_back(table_of(json)); });
        if (event.tables.empty()) fail(at, "no tables");
        break;
      case m_columns:
        relation_line.read_columns(json);
        break;
      case m_key:
        relation_line.read_key(json);
        break;
      case m_identity:
        relation_line.read_identity(json);
        break;
      default:
        json.skip();
        break;  // type, read already
    }
  }
}

void Reader::State::read_line(base::Arena& arena) {
  if (place.line.empty()) fail(start(), "an empty line");
  JsonCursor json(place);
  Head head = read_head(json);
  event = Event{};
  event.type = head.form->type;
  if (head.form->row)
    read_row_members(json, head, arena);
  else
    read_other_members(json, head);
  json.end();
  if (const unsigned missing = head.form->required & ~head.seen)
    fail(start(), "no `" + std::string(member_names[std::countr_zero(missing)]) + "`");
  if (event.type == EventType::relation) event.relation = &shapes.keep(relation_line.take()).relation;
  for (const base::TableName& table : event.tables) {
    const Shape* const shape = shapes.find(table.text());
    event.shapes.push_back(shape == nullptr ? nullptr : &shape->relation);
  }
  follow();
}

// The order of lines: a transaction is begin, changes, commit with begin's LSN.
void Reader::State::follow() {
  switch (event.type) {
    case EventType::begin:
      if (in_transaction) fail(start(), "a begin inside the transaction " + begin_lsn.text());
      in_transaction = true;
      begin_lsn = event.lsn;
      ordinal = 0;
      break;
    case EventType::commit:
      if (!in_transaction) fail(start(), "a commit without its begin");
      if (event.lsn != begin_lsn) fail(start(), "a commit of " + event.lsn.text() + " in " + begin_lsn.text());
      if (event.end_lsn <= event.lsn) fail(start(), "end_lsn is not after lsn");
      in_transaction = false;
      break;
    case EventType::insert:
    case EventType::update:
    case EventType::remove:
    case EventType::truncate:
    case EventType::copy:
      if (!in_transaction) fail(start(), "a change outside a transaction");
      event.ordinal = ++ordinal;
      break;
    case EventType::source:
      in_transaction = false;
      break;  // the stream starts again: what was open is void
    case EventType::keepalive:
      if (in_transaction) fail(start(), "a keepalive inside a transaction");
      break;
    case EventType::relation:
      break;
  }
}

Reader::Reader(std::string name) : state_(std::make_unique<State>()) { state_->place.name = std::move(name); }
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

const Event& Reader::read(std::string_view line, size_t line_number, base::Arena& arena) {
  state_->place.line = line;
  state_->place.number = line_number;
  state_->read_line(arena);
  return state_->event;
}

bool Reader::in_transaction() const { return state_->in_transaction; }

std::vector<const Relation*> Reader::relations() const { return state_->shapes.all(); }

const Relation* Reader::relation(const std::string& table_text) const {
  const Shape* shape = state_->shapes.find(table_text);
  return shape == nullptr ? nullptr : &shape->relation;
}

}  // namespace change
