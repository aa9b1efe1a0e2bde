// What the standby had otherwise than the primary's changes expect, and what was made of it. Owns the counts of the
// open batch and the conflict log, STATE/conflicts.NODE.jsonl: a line a conflict, with both versions. A line is there
// before its batch is committed, so one that was interrupted may be there twice, under one operation_id.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "apply/piece.hpp"
#include "config/settings.hpp"
#include "state/journal.hpp"

namespace apply {

enum class Conflict : uint8_t {
  insert_exists,   // an inserted row's key was there
  update_missing,  // an updated row was not
  update_newer,    // it was, with a later time (newest_wins)
  delete_missing,  // a deleted row was not there
  unique_taken,    // another row has a unique value of an inserted or updated one
};
constexpr size_t conflict_kinds = 5;
std::string_view name_of(Conflict kind);

struct Conflicts {
  std::array<uint64_t, conflict_kinds> counts{};
  Conflicts operator+(const Conflicts& other) const;
  uint64_t total() const;
  std::string text() const;  // "2 insert_exists, 1 update_missing"
};

class ConflictLog {
 public:
  ConflictLog(const config::Settings& settings, const config::Node& node);

  // `outcome` says what was made of it; `present` is the standby's row, or rows, as JSON, empty if there is none.
  void add(Conflict kind, const Operation& operation, std::string_view outcome, std::string_view present);
  // Before the batch is committed.
  void sync() { journal_.sync(); }
  bool any() const { return open_.total() > 0; }
  // Counted since the last call; when a batch is committed, or may be.
  Conflicts take() { return std::exchange(open_, {}); }
  // The batch is rolled back: its conflicts were none, as far as their lines are not written yet.
  void take_back();

 private:
  std::string policy_;
  state::Journal journal_;
  Conflicts open_;
};

}  // namespace apply
