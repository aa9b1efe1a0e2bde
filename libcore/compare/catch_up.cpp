#include "compare/catch_up.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "base/watch.hpp"
#include "capture/link.hpp"
#include "capture/run.hpp"
#include "spool/mark.hpp"
#include "spool/put.hpp"
#include "state/gate.hpp"

namespace compare {
namespace {

bool capture_runs(const config::Settings& settings, pg::Session& session) {
  const pg::Result row = session.query("SELECT active FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
                                       {capture::link_name(settings)});
  return row.rows() > 0 && row.get(0, 0) == "t";
}

// capture closes its end when all is written; one that failed leaves it open, and put would wait for more. The end is
// told by its pipe, for its number may be another file's by then.
void close_if_left(int fd, const struct stat& pipe) {
  struct stat now {};
  if (::fstat(fd, &now) == 0 && now.st_ino == pipe.st_ino && now.st_dev == pipe.st_dev) ::close(fd);
}

// capture and put, a pipe between them.
void pass(const config::Settings& settings, const std::string& primary, change::Lsn lsn) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) base::throw_errno("cannot make a pipe");
  base::Fd out(ends[0]);
  struct stat pipe {};
  if (::fstat(ends[1], &pipe) != 0) base::throw_errno("cannot look at a pipe");
  std::exception_ptr failed;
  std::thread captures([&, in = ends[1]] {
    try {
      capture::run(settings, {.follow = false, .until = lsn, .node = primary, .switched = false}, in);
    } catch (...) {
      failed = std::current_exception();
      close_if_left(in, pipe);
    }
  });
  std::exception_ptr refused;
  try {
    spool::put(out.get(), settings);
  } catch (...) {
    refused = std::current_exception();
  }
  out.reset();  // capture must not wait for a reader that is gone
  captures.join();
  if (base::stop_requested()) return;  // one of the two has ended before the other, and that is no failure
  if (failed && !refused) std::rethrow_exception(failed);
  if (refused) std::rethrow_exception(refused);
}

}  // namespace

void bring_queue_to(const config::Settings& settings, const std::string& primary, pg::Session& session, change::Lsn lsn,
                    double deadline) {
  constexpr double look_every = 0.1;  // s, where no file event comes
  base::DirectoryWatch watch(settings.spool.directory);
  state::Gate gate(settings.state_directory, settings.synchronization.auto_sync_enabled);
  bool told = false;
  while (spool::require_mark(settings.spool.directory).lsn < lsn) {
    if (base::stop_requested()) throw base::Transient(base::Exit::try_later, "a stop was requested");
    if (base::monotonic_seconds() > deadline)
      throw base::Transient(base::Exit::try_later, "the queue did not get to " + lsn.text() +
                                                       " in time; capture is behind, or its end of the pipe waits");
    if (capture_runs(settings, session)) {
      if (!gate.open())
        throw base::Transient(base::Exit::try_later,
                              state::text_of(gate.auto_sync()) +
                                  ", and the capture that runs waits; pgtandem status enable, or status force-sync");
      watch.wait(look_every);
      continue;
    }
    if (!told) base::log(base::Level::debug, "no capture is at work; reading up to " + lsn.text());
    told = true;
    try {
      pass(settings, primary, lsn);
    } catch (const base::Error& failure) {  // one that has begun meanwhile
      if (failure.kind() != base::Exit::try_later) throw;
      base::log(base::Level::debug, failure.what());
      watch.wait(look_every);
    }
  }
}

}  // namespace compare
