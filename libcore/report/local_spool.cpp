#include <sys/stat.h>

#include <algorithm>

#include "base/arena.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "report/local.hpp"
#include "spool/cursor.hpp"
#include "spool/depth.hpp"
#include "spool/layout.hpp"
#include "spool/mark.hpp"
#include "spool/reader.hpp"
#include "spool/room.hpp"

namespace report {
namespace {

using change::Lsn;

// s that the queue is read through to count transactions; what would take longer is not known.
constexpr double most_counting = 0.1;

// What is damaged and what may only not be read are mended otherwise.
void spool_failed(const base::Error& error, Spool& spool) {
  if (!spool.error.empty()) return;
  spool.error = error.what();
  spool.readable = error.kind() != base::Exit::no_right;
}

void look_at_disk(const std::filesystem::path& directory, std::optional<uint64_t>& free_bytes,
                  std::optional<uint64_t>& disk_bytes) {
  std::error_code unknown;
  const std::filesystem::space_info disk = std::filesystem::space(directory, unknown);
  if (unknown) return;
  free_bytes = disk.available;
  disk_bytes = disk.capacity;
}

bool other_disk(const std::filesystem::path& one, const std::filesystem::path& other) {
  struct stat here {};
  struct stat there {};
  return ::stat(one.c_str(), &here) == 0 && ::stat(other.c_str(), &there) == 0 && here.st_dev != there.st_dev;
}

// What waits for a standby that is at `after`: its first transaction's time, and how many there are.
void look_at_pending(const std::filesystem::path& directory, Lsn after, Standby& of, Spool& spool) {
  try {
    spool::Reader reader(directory, after, Lsn{UINT64_MAX});
    const double until = base::monotonic_seconds() + most_counting;
    uint64_t transactions = 0;
    base::Arena arena;
    for (;;) {
      arena.reset();
      const change::Event* const event = reader.next(arena);
      if (event == nullptr) break;
      if (of.oldest_pending && base::monotonic_seconds() > until) return;
      if (event->type != change::EventType::begin) continue;
      if (!of.oldest_pending) of.oldest_pending = event->time;
      ++transactions;
    }
    of.lag_transactions = transactions;
  } catch (const base::Error& error) {
    spool_failed(error, spool);
  }
}

// Where the standby is: by its own word, else by the cursor.
void look_at_standby(const config::Settings& settings, const spool::Mark& mark, const Answer* answer, Snapshot& out,
                     Standby& of) {
  const std::filesystem::path& directory = settings.spool.directory;
  Lsn applied;
  const size_t unreadable = out.unreadable.size();
  look(out, spool::cursor_path(directory, of.node), [&] {
    const std::optional<spool::Cursor> cursor = spool::read_cursor(directory, of.node);
    if (!cursor) return;
    applied = cursor->lsn;
    of.operations_total = cursor->operations;
    if (cursor->time > 0) of.applied_time = cursor->time;
  });
  bool known = out.unreadable.size() == unreadable;  // no cursor at all: it has applied nothing
  if (answer != nullptr) {
    of.error = answer->progress_error;
    of.paused = answer->paused;
    Lsn said;
    if (answer->asked_progress && (answer->applied_lsn.empty() || Lsn::parse(answer->applied_lsn, said))) {
      applied = said;
      known = true;
      of.operations_total = answer->operations;
      of.applied_time = answer->applied_time;
    }
  }
  if (applied.value != 0) of.applied_lsn = applied.text();
  if (!known) return;
  of.waiting = spool::waiting(mark, of.operations_total);
  if (applied < mark.commit_lsn) {
    if (applied.value != 0) of.applied_to = applied.text();
    look_at_pending(directory, applied, of, out.spool);
  } else {
    of.applied_to = mark.lsn.text();
    of.waiting = 0;
    of.lag_transactions = 0;
  }
}

void measure_lag(const Snapshot& out, const std::string& primary_lsn, Standby& of) {
  Lsn there;
  Lsn here;
  const bool known = Lsn::parse(primary_lsn, there) && Lsn::parse(of.applied_to, here);
  of.caught_up = known && here >= there;
  if (known) of.lag_bytes = here >= there ? 0 : static_cast<int64_t>(there.value - here.value);
  // The age of the oldest change that it may lack: the first one that waits; else, as nobody knows what has been
  // committed since the queue was last complete, of that moment.
  const Time since = of.oldest_pending ? of.oldest_pending : out.spool.captured_to_time;
  if (of.caught_up)
    of.lag_seconds = 0;
  else if (since)
    of.lag_seconds = std::max(0.0, static_cast<double>(out.time - *since) / 1e6);
}

}  // namespace

Time changed(const std::filesystem::path& file) {
  struct stat now {};
  if (::stat(file.c_str(), &now) != 0) return {};
  return int64_t{now.st_mtim.tv_sec} * 1'000'000 + now.st_mtim.tv_nsec / 1000;
}

void look_at_spool(const config::Settings& settings, const std::map<std::string, Answer>& answers, Snapshot& out) {
  const std::filesystem::path& directory = settings.spool.directory;
  Spool& spool = out.spool;
  spool.max_bytes = static_cast<uint64_t>(settings.spool.max_bytes);
  look_at_disk(directory, spool.free_bytes, spool.disk_bytes);
  look_at_disk(settings.state_directory, out.state_free_bytes, out.state_disk_bytes);
  out.state_disk_apart = other_disk(directory, settings.state_directory);
  try {
    const std::optional<spool::Mark> mark = spool::read_mark(directory);
    if (!mark) {
      for (auto& [name, of] : out.standbys) of.waiting = 0;
      return;
    }
    spool.founded = true;
    spool.system_id = mark->source.system_id;
    spool.timeline = mark->source.timeline;
    spool.operations_total = mark->operations;
    spool.transactions_total = mark->transactions;
    spool.captured_to = mark->lsn.text();
    spool.captured_to_time = changed(spool::mark_path(directory));
    if (mark->commit_lsn.value != 0) {
      spool.captured_lsn = mark->commit_lsn.text();
      spool.captured_time = mark->time;
    }
    spool.capture_running = spool::writer_running(directory);
    spool.full = spool.capture_running && !spool::full_because(directory).empty();
    for (const spool::Segment& segment : spool::list_segments(directory)) {
      spool.bytes += segment.bytes;
      ++spool.segments;
    }
    const auto primary = answers.find(out.current_primary);
    for (auto& [name, of] : out.standbys) {
      const auto answer = answers.find(name);
      of.applier_running = spool::applier_running(directory, name);
      look_at_standby(settings, *mark, answer == answers.end() ? nullptr : &answer->second, out, of);
      measure_lag(out, primary == answers.end() ? "" : primary->second.server.lsn, of);
    }
  } catch (const base::Error& error) {
    spool_failed(error, spool);
  }
}

}  // namespace report
