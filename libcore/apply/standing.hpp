// Where a run is with its standby: the sessions, the last commit and whether that survives a crash there, what of the
// tables and their rows is not as it should be, and what was told of it. Owns these together, because a new session, or
// a commit, changes all of them at once; decides nothing about a batch. One thread.
#pragma once

#include <optional>

#include "apply/account.hpp"
#include "apply/incidents.hpp"
#include "apply/milestone.hpp"
#include "apply/piece.hpp"
#include "apply/run.hpp"
#include "apply/sequences.hpp"
#include "apply/turns.hpp"
#include "base/error.hpp"
#include "base/retry.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"
#include "spool/cursor.hpp"

namespace apply {

struct Standing {
  // `named`: what the stream says that it is of. `cursor`: nullptr where it is not the queue's.
  Standing(const config::Settings& settings, const Options& options, const std::optional<change::Source>& named,
           spool::CursorFile* cursor);

  // (Again, which rolls back what was begun.) Tries as long as that can help; false when a stop was requested.
  bool connect();
  // To be called while `failure` is being caught: waits, so that trying again may help. False when a stop was
  // requested; throws it again when there were enough attempts.
  bool wait_after(const base::Error& failure);

  // A piece is written, and the batch committed if it ends one.
  void written(const Piece& piece, const Conflicts& conflicts, const Results& results);
  // What was committed survives from now on: brings about that it does.
  void flush();
  // Tells the others how far the standby is; it has everything up to `covered`, though not every commit says so.
  void publish(change::Lsn covered);

  const config::Settings& settings;
  const config::Node& node;
  const std::optional<change::Source> named;
  const bool from_spool;
  // Of what is durable, and of the batch before: what a crash takes back can be read again. A stream on stdin can't,
  // and a report tells what stands.
  const bool can_read_again;
  Account account;
  Milestone milestone;
  Incidents incidents;
  Turns turns;
  Sequences sequences;
  Position at;               // of the last commit
  bool durable = false;      // it survives a crash of the standby
  bool looked_anew = false;  // at the tables, for the batch in hand

 private:
  base::Backoff backoff_;
};

}  // namespace apply
