#include "apply/fold.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.hpp"

namespace apply {
namespace {

using change::EventType;
using change::Identity;
using change::Relation;
using change::Value;
using change::ValueKind;
using Row = std::span<Value>;

// What the run has made of one key so far, against the row that the standby has from before.
enum class State : uint8_t {
  untouched,
  inserted,  // there was none, now there is `row`
  gone,      // there was none, there was one in between, there is none
  updated,   // there was one, the present values of `row` are new
  deleted,   // there was one, there is none
  replaced,  // there was one, it was deleted, now there is `row`
};

struct Entry {
  State state = State::untouched;
  Row key;
  Row row;
};

// Lengths before values: no two keys spell the same bytes.
void spell(std::span<const Value> key, std::string& bytes) {
  bytes.clear();
  for (const Value& value : key) {
    const uint32_t head[2] = {static_cast<uint32_t>(value.kind), value.size};
    bytes.append(reinterpret_cast<const char*>(head), sizeof head);
    bytes.append(value.text());
  }
}

struct KeyHash {
  size_t operator()(std::string_view bytes) const { return base::hash_bytes(bytes); }
};

class TableFold {
 public:
  TableFold(const Relation& relation, base::Arena& arena) : relation_(relation), arena_(arena) {}

  // False when the run cannot be folded.
  bool add(const Operation& operation) {
    switch (operation.type) {
      case EventType::insert:
        return insert(operation.key, operation.row);
      case EventType::update:
        return update(operation);
      default:
        return remove(entry(operation.key));
    }
  }

  TableEffect effect() {
    TableEffect out;
    out.relation = &relation_;
    out.moved_keys = moved_keys_;
    for (const auto& [key, entry] : entries_) out.keys.push_back(base::hash_bytes(key));
    std::sort(out.keys.begin(), out.keys.end());
    std::unordered_map<std::string, size_t> groups;
    for (Entry* e : order_) {
      switch (e->state) {
        case State::untouched:
          break;
        case State::inserted:
          out.inserts.push_back(e->row);
          break;
        case State::updated:
          add_update(out, groups, *e);
          break;
        case State::replaced:
          out.inserts.push_back(e->row);
          [[fallthrough]];
        case State::deleted:
        case State::gone:
          out.deletes.push_back({e->key, e->state != State::gone});
          break;
      }
    }
    for (UpdateGroup& group : out.updates)
      std::sort(group.rows.begin(), group.rows.end(), [this](Row a, Row b) { return nearby(a, b); });
    return out;
  }

 private:
  bool insert(Row key, Row row) {
    if (relation_.key.empty() || relation_.identity == Identity::full) {  // rows without a name of their own
      Entry* e = fresh_entry();
      e->state = State::inserted;
      e->row = row;
      return true;
    }
    return put(entry(key), row);
  }

  // A whole row comes to be where there is none; false where there is one.
  static bool put(Entry& e, Row row) {
    if (e.state == State::inserted || e.state == State::updated || e.state == State::replaced) return false;
    e.state = e.state == State::deleted ? State::replaced : State::inserted;
    e.row = row;
    return true;
  }

  bool remove(Entry& e) {
    if (e.state == State::gone || e.state == State::deleted) return false;
    e.state = e.state == State::inserted ? State::gone : State::deleted;
    return true;
  }

  bool update(const Operation& operation) {
    Entry& e = entry(operation.key);
    if (e.state == State::gone || e.state == State::deleted) return false;
    if (same_key(operation)) {
      e.row = e.state == State::untouched ? operation.row : merged(e.row, operation.row);
      if (e.state == State::untouched) e.state = State::updated;
      return true;
    }
    const Row row = e.state == State::untouched ? operation.row : merged(e.row, operation.row);
    for (const Value& value : row)
      if (value.kind == ValueKind::absent) return false;  // only the standby's old row has it
    moved_keys_ = true;
    remove(e);
    Value* key = arena_.array<Value>(relation_.key.size());
    for (size_t i = 0; i < relation_.key.size(); ++i) key[i] = row[relation_.key[i]];
    return put(entry({key, relation_.key.size()}), row);
  }

  bool same_key(const Operation& operation) const {
    for (size_t i = 0; i < relation_.key.size(); ++i) {
      const Value& now = operation.row[relation_.key[i]];
      if (now.kind == ValueKind::absent) continue;
      if (now.kind != operation.key[i].kind || now.text() != operation.key[i].text()) return false;
    }
    return true;
  }

  // `later` over `earlier`, where later is present.
  Row merged(Row earlier, Row later) {
    if (std::none_of(later.begin(), later.end(), [](const Value& v) { return v.kind == ValueKind::absent; }))
      return later;
    Value* row = arena_.array<Value>(later.size());
    for (size_t i = 0; i < later.size(); ++i) row[i] = later[i].kind == ValueKind::absent ? earlier[i] : later[i];
    return {row, later.size()};
  }

  void add_update(TableEffect& out, std::unordered_map<std::string, size_t>& groups, const Entry& e) {
    // Key columns that were not sent are known from the key.
    for (size_t i = 0; i < relation_.key.size(); ++i)
      if (e.row[relation_.key[i]].kind == ValueKind::absent) e.row[relation_.key[i]] = e.key[i];
    std::string mask(e.row.size(), '1');
    for (size_t i = 0; i < e.row.size(); ++i)
      if (e.row[i].kind == ValueKind::absent) mask[i] = '0';
    const auto [found, is_new] = groups.try_emplace(mask, out.updates.size());
    if (is_new) {
      UpdateGroup group;
      group.whole = mask.find('0') == std::string::npos;
      for (const char c : mask) group.set.push_back(c == '1');
      for (const uint16_t i : relation_.key) group.set[i] = false;
      out.updates.push_back(std::move(group));
    }
    out.updates[found->second].rows.push_back(e.row);
  }

  // About the order of the key's index, where neighbours share pages: numbers by value, and texts of one length.
  bool nearby(Row a, Row b) const {
    for (const uint16_t i : relation_.key) {
      if (a[i].size != b[i].size) return a[i].size < b[i].size;
      const int order = a[i].text().compare(b[i].text());
      if (order != 0) return order < 0;
    }
    return false;
  }

  Entry* fresh_entry() {
    Entry* e = arena_.array<Entry>(1);
    order_.push_back(e);
    return e;
  }

  Entry& entry(Row key) {
    spell(key, bytes_);
    const auto found = entries_.find(bytes_);
    if (found != entries_.end()) return *found->second;
    Entry* e = fresh_entry();
    e->key = key;
    entries_.emplace(std::string_view(arena_.copy(bytes_), bytes_.size()), e);
    return *e;
  }

  const Relation& relation_;
  base::Arena& arena_;
  std::unordered_map<std::string_view, Entry*, KeyHash> entries_;
  std::vector<Entry*> order_;
  std::string bytes_;
  bool moved_keys_ = false;
};

// Tables whose rows have no key to fold by and that see more than inserts, or whose rows have no column to COPY.
// TableFold::add() finds the others.
std::unordered_set<const Relation*> unfoldable(const Piece& piece) {
  std::unordered_set<const Relation*> out;
  for (const Operation& operation : piece.operations)
    if (operation.relation->columns.empty() ||
        (operation.relation->identity == Identity::full && operation.type != EventType::insert))
      out.insert(operation.relation);
  return out;
}

}  // namespace

size_t rows_of(const Fold& fold) {
  size_t rows = 0;
  for (const TableEffect& effect : fold.tables) {
    rows += effect.deletes.size() + effect.inserts.size();
    for (const UpdateGroup& group : effect.updates) rows += group.rows.size();
  }
  return rows;
}

uint64_t key_hash(std::span<const Value> key) {
  std::string bytes;
  spell(key, bytes);
  return base::hash_bytes(bytes);
}

Fold fold(Piece& piece) {
  Fold out;
  std::unordered_map<const Relation*, std::unique_ptr<TableFold>> tables;
  std::vector<TableFold*> order;
  TableFold* last = nullptr;
  const Relation* last_relation = nullptr;
  std::unordered_set<const Relation*> by_row = unfoldable(piece);
  for (const Operation& operation : piece.operations) {
    if (operation.relation != last_relation) {
      last_relation = operation.relation;
      last = nullptr;
      if (by_row.contains(operation.relation)) continue;
      std::unique_ptr<TableFold>& table = tables[operation.relation];
      if (!table) {
        table = std::make_unique<TableFold>(*operation.relation, piece.arena);
        order.push_back(table.get());
      }
      last = table.get();
    }
    if (last == nullptr || last->add(operation)) continue;
    by_row.insert(operation.relation);
    std::erase(order, last);
    last = nullptr;
  }
  for (TableFold* table : order) out.tables.push_back(table->effect());
  if (by_row.empty()) return out;
  for (const Operation& operation : piece.operations)
    if (by_row.contains(operation.relation)) out.in_order.push_back(&operation);
  return out;
}

}  // namespace apply
