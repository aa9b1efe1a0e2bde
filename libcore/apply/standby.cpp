#include "apply/standby.hpp"

#include "apply/progress.hpp"
#include "base/error.hpp"

namespace apply {

Standby::Standby(const config::Settings& settings, const config::Node& node,
                 const std::optional<change::Source>& source)
    : source_(source),
      session_(node, {.purpose = "pgtandem apply",
                      .writes_as_replica = true,
                      .answer_timeout = settings.synchronization.sync_timeout}),
      writer_(session_) {
  if (source_) position_ = read_progress(session_, *source_);
}

void Standby::write(const Prepared& prepared, Sequences sequences) {
  open();
  writer_.write(prepared, sequences);
}

void Standby::stage(const Prepared& prepared) {
  open();
  writer_.stage(prepared);
}

void Standby::open() {
  if (!open_) session_.query("BEGIN");
  open_ = true;
}

void Standby::commit(const Position& from, const Position& to, bool durably) {
  if (source_) advance_progress(session_, *source_, from, to);
  committing_ = true;
  const pg::Result committed = session_.query(durably ? "COMMIT" : "SET LOCAL synchronous_commit = off; COMMIT");
  // A commit of a failed transaction answers without an error, but with this tag.
  if (committed.tag() != "COMMIT")
    throw base::Error(base::Exit::bug, session_.node() + ": the commit of " + to.lsn.text() + " was answered " +
                                           std::string(committed.tag()));
  committing_ = open_ = false;
  moved(to, durably);
}

void Standby::moved(const Position& to, bool durably) {
  position_ = to;
  durable_ = durably;
}

void Standby::settle() {
  if (!durable_ && source_) flush_progress(session_, *source_);
  durable_ = true;
}

}  // namespace apply
