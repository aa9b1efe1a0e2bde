// What was taken into the spool on its way to being durable and seen: gathers, flushes, syncs, publishes, and waits
// while there is no room. Owns the writer, the syncer and all timing between them; knows nothing of the input. For put.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "base/watch.hpp"
#include "config/settings.hpp"
#include "spool/room.hpp"
#include "spool/segment_writer.hpp"
#include "spool/syncer.hpp"

namespace spool {

class Publisher {
 public:
  // Goes on after `start`, the mark on disk. The caller holds the spool's lock.
  Publisher(const config::Settings& settings, const Mark& start);

  SegmentWriter& writer() { return writer_; }
  // Nothing that commits at or before `lsn` is still to come, and all of it was given to the writer.
  void keepalive(change::Lsn lsn) { keepalive_ = std::max(keepalive_, lsn); }
  // Everything that commits at or before it was taken.
  change::Lsn end() const { return std::max(writer_.accepted().lsn, keepalive_); }

  // These may wait for room; false means that a stop was requested meanwhile and nothing more is to be taken.
  bool admit();      // before a transaction begins: spool.strict, and a full segment put away
  bool relieve();    // after every line: what is gathered goes to the file when it is much
  bool hand_over();  // at a commit and at a pause: what is whole goes to the syncer, when it is time

  // Seconds until hand_over() has something to do again, below zero if it has not; and a descriptor that becomes
  // readable when it may have.
  double next_due();
  int fd() const { return syncer_.fd(); }

  // Cuts an open transaction off and makes all else durable, the mark too. Returns the mark.
  const Mark& finish();

 private:
  bool flush();
  bool wait_for_room(const std::filesystem::path& watched, const std::string& why);
  void go_on();
  void start_job(bool with_keepalive, base::Durable durable);
  bool commits_wait() const { return writer_.accepted().commit_lsn != handed_.commit_lsn; }
  bool keepalive_waits() const { return keepalive_ > handed_.lsn; }

  const config::Settings& settings_;
  Room room_;
  SegmentWriter writer_;
  Syncer syncer_;
  Mark handed_;  // the mark of the last job
  change::Lsn keepalive_;
  double last_job_ = 0;                        // when it was started
  double last_durable_ = 0;                    // when the last one with a durable mark was
  bool started_ = false;                       // any job
  std::optional<base::DirectoryWatch> watch_;  // while it waits for room
  double warned_ = -1e9;                       // when that was last said
  bool said_full_ = false;                     // of this wait
};

}  // namespace spool
