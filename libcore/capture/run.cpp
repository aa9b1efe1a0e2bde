#include "capture/run.hpp"

#include <unistd.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/retry.hpp"
#include "base/stop.hpp"
#include "capture/filter.hpp"
#include "capture/link.hpp"
#include "capture/outlet.hpp"
#include "capture/stream.hpp"
#include "pg/error.hpp"
#include "pg/rights.hpp"
#include "state/gate.hpp"
#include "state/service.hpp"
#include "state/tool_record.hpp"

namespace capture {
namespace {

constexpr size_t capacity = 8 << 20;  // bytes that may wait for the pipe; then the primary is left unread

// Another capture is at work: what is to be known of capture is that one's to tell.
bool is_elsewhere(const base::Error& failure) { return failure.kind() == base::Exit::try_later; }

// One connection after another, until all is written.
void stream_all(const config::Settings& settings, const Options& options, const config::Node& primary,
                state::Gate* gate, Outlet& outlet, state::ToolRecord& record) {
  const config::Synchronization& sync = settings.synchronization;
  base::Backoff backoff(options.follow ? -1 : sync.max_retry_attempts, sync.retry_delay);
  std::optional<change::Lsn> target = options.until;
  for (;;) {
    try {
      Stream stream(settings, primary, target, !options.follow, outlet, backoff, gate, record);
      stream.pump();
      stream.settle();
      return;
    } catch (const base::Transient& failure) {
      if (!is_elsewhere(failure)) record.failed(failure.what(), true);
      if (backoff.wait(failure.what())) continue;
      if (base::stop_requested()) return;
      throw;
    } catch (const pg::SqlError& refused) {
      // The publication of the time that is decoded, not of today: it was dropped once, or made after the slot.
      if (refused.sqlstate() != "42704") pg::throw_refusal(refused, "capture init");
      throw base::Error(refused.kind(), std::string(refused.what()) + " at the slot's position; " + begin_again);
    }
  }
}

}  // namespace

void run(const config::Settings& settings, const Options& options, int out) {
  const config::Synchronization& sync = settings.synchronization;
  const config::Node& primary = settings.primary(options.node);
  const bool configured = sync.auto_sync_enabled;
  std::optional<state::Gate> gate;
  if (options.switched && options.follow) gate.emplace(settings.state_directory, configured);
  const bool once = options.switched && !options.follow;
  if (once && state::is_switched_off(settings.state_directory, configured, primary.name)) {
    ::close(out);
    return;
  }
  const std::vector<std::string>& program = settings.filters.program;
  if (!program.empty()) Filter::try_out(program, sync.sync_timeout);
  Outlet outlet(out, capacity);
  state::ToolRecord record(settings.state_directory, "capture");
  std::optional<state::Service> service;
  if (options.follow) service.emplace(settings, "capture");
  try {
    stream_all(settings, options, primary, gate ? &*gate : nullptr, outlet, record);
    record.ended(static_cast<int>(base::Exit::done));
  } catch (const base::PipeClosed& gone) {
    // Its reader had enough, or failed and has said so itself: no error of capture's, and no news to anybody.
    record.ended(static_cast<int>(gone.kind()));
    throw;
  } catch (const base::Error& failure) {
    if (!is_elsewhere(failure)) record.failed(failure.what(), false);
    record.ended(static_cast<int>(failure.kind()));
    throw;
  }
}

}  // namespace capture
