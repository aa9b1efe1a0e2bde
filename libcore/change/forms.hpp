// The types of lines and the members that each may have, as the reader checks them. Owns the one table of both; the
// JSON Schema in config/ says the same, and a test compares the two.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "change/change.hpp"

namespace change {

// A member's place among those a line may have; each may come once.
// clang-format off
enum Member : unsigned {
  m_type, m_table, m_columns, m_key, m_identity, m_lsn, m_end_lsn, m_xid, m_time, m_new, m_unchanged, m_tables,
  m_restart_identity, m_cascade, m_changes, m_xxh3, m_system_id, m_timeline, m_slot, m_created, m_operations, m_cut,
  m_count
};
// clang-format on
inline constexpr std::string_view member_names[m_count] = {
    "type",      "table",    "columns",   "key",     "identity",         "lsn",     "end_lsn", "xid",
    "time",      "new",      "unchanged", "tables",  "restart_identity", "cascade", "changes", "xxh3",
    "system_id", "timeline", "slot",      "created", "operations",       "cut"};

constexpr unsigned bit(unsigned member) { return 1U << member; }

// A name as the writer spells it: in quotes, a member's with its colon.
struct Quoted {
  std::array<char, 24> bytes{};
  size_t size = 0;
  constexpr void put(char c) { bytes[size++] = c; }
  constexpr Quoted(std::string_view name, std::string_view end) {
    put('"');
    for (const char c : name) put(c);
    for (const char c : end) put(c);
  }
  constexpr operator std::string_view() const { return {bytes.data(), size}; }
};

struct Form {
  std::string_view name;
  EventType type;
  bool row;  // carries a row of a table
  unsigned required;
  std::array<Member, 8> members;  // all but "type", in the writer's order; m_count ends them
  Quoted quoted{name, "\""};

  constexpr bool has(unsigned member) const {
    for (const Member m : members)
      if (m == member) return member != m_count;
    return member == m_type;
  }
};
// clang-format off
inline constexpr Form forms[] = {
    {"insert", EventType::insert, true, bit(m_table) | bit(m_new), {m_table, m_key, m_new, m_count}},
    {"update", EventType::update, true, bit(m_table) | bit(m_key) | bit(m_new),
     {m_table, m_key, m_new, m_unchanged, m_count}},
    {"delete", EventType::remove, true, bit(m_table) | bit(m_key), {m_table, m_key, m_count}},
    {"begin", EventType::begin, false, bit(m_lsn), {m_lsn, m_xid, m_time, m_count}},
    {"commit", EventType::commit, false, bit(m_lsn) | bit(m_end_lsn), {m_lsn, m_end_lsn, m_changes, m_xxh3, m_count}},
    {"relation", EventType::relation, false, bit(m_table) | bit(m_columns) | bit(m_key),
     {m_table, m_columns, m_key, m_identity, m_count}},
    {"truncate", EventType::truncate, false, bit(m_tables), {m_tables, m_restart_identity, m_cascade, m_count}},
    {"copy", EventType::copy, false, bit(m_tables), {m_tables, m_count}},
    {"keepalive", EventType::keepalive, false, bit(m_lsn), {m_lsn, m_time, m_count}},
    {"source", EventType::source, false,
     bit(m_system_id) | bit(m_timeline) | bit(m_slot) | bit(m_created) | bit(m_lsn),
     {m_system_id, m_timeline, m_slot, m_created, m_lsn, m_operations, m_cut, m_count}},
};
// clang-format on

inline constexpr std::string_view identity_names[] = {"default", "index", "full", "nothing"};  // as Identity counts

namespace detail {

template <size_t... I>
constexpr std::array<Quoted, sizeof...(I)> quote_members(std::index_sequence<I...>) {
  return {Quoted(member_names[I], "\":")...};
}

// A perfect hash of the member names: each has a slot of its own, which the compiler checks.
constexpr size_t slot_of(std::string_view name) {
  if (name.empty()) return 0;
  return (static_cast<size_t>(name[0]) * 13 + static_cast<size_t>(name[name.size() / 2]) * 8 + name.size()) % 64;
}
constexpr std::array<uint8_t, 64> member_slots() {
  std::array<uint8_t, 64> slots{};
  slots.fill(m_count);
  for (unsigned m = 0; m < m_count; ++m) {
    if (slots[slot_of(member_names[m])] != m_count) throw "two members in one slot: choose other factors";
    slots[slot_of(member_names[m])] = static_cast<uint8_t>(m);
  }
  return slots;
}

}  // namespace detail

inline constexpr std::array<Quoted, m_count> member_labels = detail::quote_members(std::make_index_sequence<m_count>());

// m_count for a name that is none.
inline unsigned member_of(std::string_view name) {
  static constexpr std::array<uint8_t, 64> slots = detail::member_slots();
  const unsigned m = slots[detail::slot_of(name)];
  return m != m_count && member_names[m] == name ? m : unsigned{m_count};
}

}  // namespace change
