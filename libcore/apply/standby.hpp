// The standby while a connection to it lives: one transaction a batch, with the progress row in it. Owns the session
// and whether a transaction is open; a standby that threw is used up, make another one.
#pragma once

#include <memory>
#include <optional>

#include "apply/piece.hpp"
#include "apply/prepared.hpp"
#include "apply/writer.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace apply {

class Standby {
 public:
  // Connects and, where the stream names its source, reads how far the standby is. Throws as pg::Session and
  // read_progress() do.
  Standby(const config::Settings& settings, const config::Node& node, const std::optional<change::Source>& source);

  const Position& position() const { return position_; }  // of the last commit; zero without a source

  // Writes a piece in the batch's transaction.
  void write(const Prepared& prepared, Sequences sequences = Sequences::follow);
  void stage(const Prepared& prepared);  // its first part, see Writer
  // Commits the batch, with the progress from `from` to its end. Without `durably` that does not wait for its WAL: a
  // crash of the standby may take the batch back, and its progress with it.
  void commit(const Position& from, const Position& to, bool durably);

  // For a batch that another session writes: whether it may, its sequences, and that it was committed.
  bool may_overlap(const Prepared& prepared) { return writer_.may_overlap(prepared); }
  bool can_fold(const Prepared& prepared) const { return writer_.can_fold(prepared); }
  void follow_sequences(const Piece& piece) { writer_.follow_sequences(piece); }
  void moved(const Position& to, bool durably);

  // Whether everything up to position() survives a crash of the standby; settle() sees to that.
  bool durable() const { return durable_; }
  void settle();

  // Whether the last thing tried was the commit, so that its outcome is unknown if the connection is gone.
  bool in_doubt() const { return committing_; }
  Conflicts take_conflicts() { return writer_.take_conflicts(); }
  pg::Session& session() { return session_; }

 private:
  void open();
  std::optional<change::Source> source_;
  pg::Session session_;
  Writer writer_;
  Position position_;
  bool open_ = false;
  bool durable_ = false;  // what was read at the start may be the unflushed commit of a run that was killed
  bool committing_ = false;
};

}  // namespace apply
