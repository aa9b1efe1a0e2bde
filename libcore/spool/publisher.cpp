#include "spool/publisher.hpp"

#include <algorithm>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "spool/prune.hpp"

namespace spool {
namespace {

// A reader that opens at a position reads at most one segment (some 50 ms at this size), and only whole segments can be
// removed; small ones make many files. Compressed bytes hold about five times as many lines.
constexpr uint64_t segment_bytes = 16 << 20;
constexpr uint64_t compressed_segment_bytes = 4 << 20;
// In a small spool, or on a small disk, this part of it: the newest segment never goes, so it must leave room for the
// next.
constexpr uint64_t spool_parts = 8;
// Under load so long from sync to sync: a disk gets other things done, and beside what apply takes it is little. What
// comes after a pause is synced at once.
constexpr double sync_spacing = 0.005;
// A mark that only a keepalive moved has no second witness in the segments: it costs a sync of its own, so it waits.
constexpr double keepalive_spacing = 1;
// A long transaction is synced as it comes, so that its commit need not wait for all of it.
constexpr uint64_t sync_ahead = 16 << 20;
// A stream that is faster than the disk waits for it here.
constexpr uint64_t unsynced_limit = 64 << 20;
// A spool that stays about full is full and not full many times a second.
constexpr double warning_spacing = 60;

uint64_t roll_bytes(const config::Settings& settings, const Room& room) {
  const uint64_t full = settings.synchronization.enable_compression ? compressed_segment_bytes : segment_bytes;
  uint64_t most = static_cast<uint64_t>(settings.spool.max_bytes);
  std::error_code unknown;
  const std::filesystem::space_info disk = std::filesystem::space(settings.spool.directory, unknown);
  if (!unknown) most = std::min(most, disk.available + room.used());
  return std::clamp(most / spool_parts, uint64_t{1}, full);
}

}  // namespace

Publisher::Publisher(const config::Settings& settings, const Mark& start)
    : settings_(settings),
      room_(settings),
      writer_(settings.spool.directory, start, settings.synchronization.enable_compression, roll_bytes(settings, room_),
              room_),
      syncer_(settings.spool.directory),
      handed_(start),
      keepalive_(start.lsn) {
  note_room(settings.spool.directory);
}

bool Publisher::admit() {
  bool waited = false;
  while (!room_.for_operations(writer_.accepted().operations)) {
    waited = true;
    if ((writer_.staged_whole() && !flush()) ||
        !wait_for_room(cursors_path(settings_.spool.directory),
                       "max_queue_size (" + std::to_string(settings_.synchronization.max_queue_size) +
                           " operations) is reached and spool.strict is set"))
      return false;
  }
  if (waited) go_on();
  return !writer_.roll_due() || flush();
}

bool Publisher::relieve() {
  while (writer_.piece_ready())
    if (!flush()) return false;
  if (writer_.unsynced_bytes() < sync_ahead) return true;
  if (writer_.unsynced_bytes() >= unsynced_limit) syncer_.wait();
  if (syncer_.idle()) start_job(false, base::Durable::no);
  return true;
}

bool Publisher::hand_over() {
  if (!commits_wait() && !keepalive_waits()) return true;
  const double now = base::monotonic_seconds();
  if (now < last_job_ + sync_spacing || !syncer_.idle()) return true;
  const bool durable = keepalive_waits() && now >= last_durable_ + keepalive_spacing;
  if (!commits_wait() && !durable) return true;
  if (writer_.staged_whole() && !flush()) return false;
  start_job(durable, durable ? base::Durable::yes : base::Durable::no);
  return true;
}

double Publisher::next_due() {
  // Asked first, whatever waits: it takes the note of a finished job, which would wake the caller for ever.
  if (!syncer_.idle() || (!commits_wait() && !keepalive_waits())) return -1;
  const double now = base::monotonic_seconds();
  const double due = last_job_ + sync_spacing;
  return std::max(0.0, (commits_wait() ? due : std::max(due, last_durable_ + keepalive_spacing)) - now);
}

const Mark& Publisher::finish() {
  writer_.cut();
  while (writer_.staged_whole()) {
    if (flush()) continue;
    writer_.drop_staged();
    keepalive_ = handed_.lsn;  // what came before it is not all here
  }
  syncer_.wait();
  if (!started_ && !commits_wait() && !keepalive_waits()) return handed_;
  start_job(true, base::Durable::yes);
  syncer_.wait();
  return handed_;
}

// Whole transactions, or a piece of the open one, to the file.
bool Publisher::flush() {
  const std::filesystem::path watched = segments_path(settings_.spool.directory);
  for (bool waited = false;; waited = true) {
    const SegmentWriter::Flush result = writer_.flush();
    if (result == SegmentWriter::Flush::done) {
      if (waited) go_on();
      return true;
    }
    const bool disk = result == SegmentWriter::Flush::disk_full;
    const std::string bound = "spool.max_bytes (" + std::to_string(settings_.spool.max_bytes) + ") is reached";
    if (!wait_for_room(watched, disk ? "the disk is full" : bound)) return false;
  }
}

// What is written is published first: nobody makes room who cannot see it.
bool Publisher::wait_for_room(const std::filesystem::path& watched, const std::string& why) {
  if (!watch_) {
    watch_.emplace(watched);
    note_full(settings_.spool.directory, why);
    const double now = base::monotonic_seconds();
    said_full_ = now >= warned_ + warning_spacing;
    if (said_full_) warned_ = now;
    base::log(said_full_ ? base::Level::warn : base::Level::debug,
              "the spool " + settings_.spool.directory.string() + " is full: " + why +
                  "; nothing is lost, reading waits until apply has made room");
  }
  if (writer_.written().commit_lsn != handed_.commit_lsn) {
    syncer_.wait();
    start_job(false, base::Durable::no);
  }
  prune(settings_, Short::yes);
  watch_->wait(std::max(settings_.synchronization.sync_interval, 0.01));
  syncer_.idle();  // throws when the disk failed meanwhile
  return !base::stop_requested();
}

void Publisher::go_on() {
  watch_.reset();
  note_room(settings_.spool.directory);
  base::log(said_full_ ? base::Level::info : base::Level::debug, "there is room in the spool again, reading goes on");
}

// All that is written, and its mark where that is news. With the keepalive only when nothing whole is still staged.
void Publisher::start_job(bool with_keepalive, base::Durable durable) {
  SegmentWriter::Unsynced unsynced = writer_.take_unsynced();
  SyncJob job{std::move(unsynced.files), unsynced.directory, std::nullopt, durable};
  if (durable == base::Durable::yes || writer_.written().commit_lsn != handed_.commit_lsn) {
    Mark mark = writer_.written();
    mark.lsn = std::max({mark.lsn, handed_.lsn, with_keepalive ? keepalive_ : change::Lsn{}});
    job.mark = handed_ = mark;
  }
  last_job_ = base::monotonic_seconds();
  if (durable == base::Durable::yes) last_durable_ = last_job_;
  started_ = true;
  syncer_.start(std::move(job));
}

}  // namespace spool
