// One connection's life: the slot's stream to lines, with feedback to the primary. Owns the loop and its deadlines.
// Confirms only what the spool's mark calls durable, whoever reads the lines. For run.cpp.
#pragma once

#include <memory>
#include <optional>

#include "base/retry.hpp"
#include "capture/outlet.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "state/gate.hpp"
#include "state/tool_record.hpp"

namespace capture {

class Stream {
 public:
  // `target` is set to the present end of the WAL if it is still empty and `to_now`. Waits where `gate` is closed;
  // null: no switch counts. All have to stay. Throws base::Transient, Error as capture::check does.
  Stream(const config::Settings& settings, const config::Node& primary, std::optional<change::Lsn>& target, bool to_now,
         Outlet& outlet, base::Backoff& backoff, state::Gate* gate, state::ToolRecord& record);
  ~Stream();

  // Until the target is reached or a stop was requested.
  void pump();
  // After the last line: sees it out of the door, however long the reader takes, and tells the primary of it within
  // this pass, as long as a `queue put` is there to make it durable. A stop leaves at once what the reader does not
  // take: it was not confirmed and will come again.
  void settle();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace capture
