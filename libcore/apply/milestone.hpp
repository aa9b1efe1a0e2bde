// How far the standby is for good, told to the others: the cursor by which the queue counts and keeps. Owns how often
// that is written, and the removal of what no standby needs any more.
#pragma once

#include "apply/piece.hpp"
#include "apply/tables.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "spool/cursor.hpp"

namespace apply {

class Milestone {
 public:
  // `cursor`: nullptr where the stream is not the queue's; then nothing is told.
  Milestone(const config::Settings& settings, spool::CursorFile* cursor) : settings_(settings), cursor_(cursor) {}

  // Under load not every batch is worth it.
  bool is_due() const;
  // The standby is at `at`, which survives a crash of it, and has everything up to `covered`; paused tables are behind.
  void set(const Position& at, change::Lsn covered, const Tables& tables);

 private:
  const config::Settings& settings_;
  spool::CursorFile* const cursor_;
  change::Lsn covered_;
  double set_ = 0;
  double pruned_ = 0;
};

}  // namespace apply
