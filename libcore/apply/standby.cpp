#include "apply/standby.hpp"

#include <string>
#include <utility>

#include "apply/progress.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "pg/newest_column.hpp"

namespace apply {
namespace {

// How a piece was written: the folded way and the primary's order come to the same, so nothing else tells.
std::string in_words(const Prepared& prepared, bool folded) {
  const size_t all = prepared.piece.operations.size();
  const size_t in_order = folded ? prepared.fold.in_order.size() : all;
  return std::to_string(all - in_order) + " operations folded to " +
         std::to_string(folded ? rows_of(prepared.fold) : 0) + " rows, " + std::to_string(in_order) +
         " in the primary's order";
}

}  // namespace

Standby::Standby(const config::Settings& settings, const config::Node& node,
                 const std::optional<change::Source>& source, Incidents& incidents, const std::optional<Pin>& pin)
    : source_(source),
      pin_(pin),
      session_(node, {.purpose = "pgtandem apply",
                      .writes_as_replica = true,
                      .answer_timeout = settings.synchronization.sync_timeout}),
      writer_(session_, incidents),
      incidents_(incidents) {
  session_.lift_transaction_timeout();  // a transaction of the primary's may be of any size
}

Position Standby::read_position() {
  pg::check_newest_column(session_, incidents_.settings);
  if (!source_) return {};
  const Position at = read_progress(session_, *source_, Reading::to_go_on);
  incidents_.tables.load(session_, *source_);
  return at;
}

// With a memory of its own: the shape goes with the call.
void Standby::try_on(const change::Relation& shape) {
  Targets(session_, &incidents_.tables, incidents_.follows_shapes()).of(shape);
}

void Standby::begin(Parts parts) {
  parts_ = std::move(parts);
  begun_ = std::async(std::launch::async, [this] {
    open(true);
    writer_.write_ahead(parts_);
  });
}

void Standby::write(const Prepared& prepared, Sequences& sequences, bool beside) {
  bool folded = true;
  if (begun_.valid()) {
    begun_.get();
    writer_.write_after(parts_);
  } else {
    open(beside);
    folded = writer_.write(prepared);
  }
  base::log(base::Level::debug, session_.node() + ": " + in_words(prepared, folded));
  sequences.follow(session_, prepared.piece);
  for (const Operation& operation : prepared.piece.operations) incidents_.tables.took(*operation.relation);
}

// Of two batches at once the earlier may wait for a unique value that the later took. The later waits for our commit,
// so no server sees that this is a deadlock.
void Standby::open(bool beside) {
  if (!open_) session_.query(beside ? "BEGIN; SET LOCAL lock_timeout = '1s'" : "BEGIN");
  if (!open_ && pin_) pin_progress(session_, pin_->source, pin_->at);
  open_ = true;
}

void Standby::commit(const Position& from, const Position& to, bool durably) {
  if (source_) {
    incidents_.tables.write(session_, *source_);
    advance_progress(session_, *source_, from, to);
  }
  commit_open(durably ? "COMMIT" : "SET LOCAL synchronous_commit = off; COMMIT", to.lsn.text());
}

void Standby::commit_tables() {
  open(false);
  incidents_.tables.write(session_, *source_);
  commit_open("COMMIT", "a table's position");
}

void Standby::commit_open(const std::string& end, const std::string& what) {
  committing_ = true;
  const pg::Result committed = session_.query(end);
  // A commit of a failed transaction answers without an error, but with this tag.
  if (committed.tag() != "COMMIT")
    throw base::Error(base::Exit::bug,
                      session_.node() + ": the commit of " + what + " was answered " + std::string(committed.tag()));
  committing_ = open_ = false;
}

std::string Standby::retry(const Operation& operation) {
  roll_back();
  open(false);
  std::string refusal;
  if (note_retried(session_, *source_, id_of(operation))) {
    Targets targets(session_);  // of its own: the shape of a letter goes with the letter
    refusal = OneByOne(session_, targets, incidents_).retry(operation);
  }
  if (refusal.empty()) incidents_.before_commit();
  const pg::Result done = session_.query(refusal.empty() ? "COMMIT" : "ROLLBACK");
  if (refusal.empty() && done.tag() != "COMMIT") refusal = "its commit was answered " + std::string(done.tag());
  open_ = false;
  return refusal;
}

// Pieces of a batch whose end will not come: a stop was asked for between them.
void Standby::roll_back() {
  if (open_) session_.query("ROLLBACK");
  open_ = false;
}

void Standby::flush() {
  roll_back();
  if (source_) flush_progress(session_, *source_);
}

}  // namespace apply
