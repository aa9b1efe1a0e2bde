// One run of capture: the slot's stream to lines on a descriptor, one connection after another (stream.hpp). Owns the
// retries, and the record that status reads.
#pragma once

#include <optional>
#include <string>

#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace capture {

struct Options {
  bool follow = false;
  std::optional<change::Lsn> until;  // everything committed up to it, then the end
  std::string node;                  // the primary to read; empty: the one of that role
  // While sync is disabled: one that follows waits, connected, and any other ends at once, with nothing written.
  bool switched = true;
};

// Returns when all that was committed at the start (or up to `until`) is written, or a stop was requested. Closes
// `out`. Throws base::Transient when the retries are used up, Error as capture::check does.
void run(const config::Settings& settings, const Options& options, int out);

}  // namespace capture
