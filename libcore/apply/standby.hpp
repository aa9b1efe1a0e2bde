// The standby while a connection to it lives: one transaction a batch, with the progress row in it. Owns the session,
// a thread that may begin a batch in it, and whether a transaction is open. Called by one thread; a standby that threw
// is used up, make another one.
#pragma once

#include <future>
#include <memory>
#include <optional>

#include "apply/incidents.hpp"
#include "apply/piece.hpp"
#include "apply/prepared.hpp"
#include "apply/sequences.hpp"
#include "apply/writer.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace apply {

// A place at which an apply stands, and has to stand still as long as a transaction of another one is open.
struct Pin {
  change::Source source;
  change::Lsn at;
};

class Standby {
 public:
  // Connects; throws as pg::Session does. `pin`: as Options::pin.
  Standby(const config::Settings& settings, const config::Node& node, const std::optional<change::Source>& source,
          Incidents& incidents, const std::optional<Pin>& pin);

  // How far the standby is, and its tables; zero where the stream names no source. Throws as read_progress() does.
  Position read_position();

  // See Targets.
  void forget_addresses() { writer_.forget_addresses(); }

  // Whether a batch may be written beside another one; whether it may be written folded. See Writer.
  bool may_overlap(const Prepared& prepared) { return writer_.may_overlap(prepared); }
  bool can_fold(const Prepared& prepared) { return writer_.can_fold(prepared); }
  bool may_go_ahead(const Prepared& prepared) { return writer_.may_go_ahead(prepared); }
  // Throws Misfit where the standby's table does not have this shape.
  void try_on(const change::Relation& shape);

  // Begins to write a batch, what may go ahead of the one before it, and returns at once; the batch has to stay until
  // write().
  void begin(Parts parts);
  bool has_begun() const { return begun_.valid(); }
  // Writes a piece in the batch's transaction, or what begin() left of it, and moves the sequences. Throws what failed
  // since begin(), too. `beside`: while another session has the batch after it; then a lock is not waited for longer
  // than a second, for that one may have it.
  void write(const Prepared& prepared, Sequences& sequences, bool beside);
  // Commits the batch, with the progress from `from` to its end. Without `durably` that does not wait for its WAL: a
  // crash of the standby may take the batch back, and its progress with it.
  void commit(const Position& from, const Position& to, bool durably);
  // The same for one that is of a paused table alone, with that table's position, durably; or for none, to note what
  // was changed of the tables.
  void commit_tables();
  // Whether the last thing tried was the commit, so that its outcome is unknown if the connection is gone.
  bool in_doubt() const { return committing_; }
  // Makes everything that any session has committed here survive a crash of the standby. Rolls back what is open.
  void flush();

  // Writes an operation out of quarantine, once however often it is asked, in a transaction of its own that leaves the
  // progress as it is. Returns why it is refused; empty when it was not.
  std::string retry(const Operation& operation);

 private:
  void open(bool beside);
  void commit_open(const std::string& end, const std::string& what);
  void roll_back();

  std::optional<change::Source> source_;
  const std::optional<Pin> pin_;
  pg::Session session_;
  Writer writer_;
  Incidents& incidents_;
  bool open_ = false;
  bool committing_ = false;
  Parts parts_;              // what is begun
  std::future<void> begun_;  // last: its end waits for the thread, which uses the rest
};

}  // namespace apply
