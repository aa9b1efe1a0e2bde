// The one way library code speaks to people: a line handed to whoever listens. Owns the listener; never writes
// anywhere itself. cli installs a listener that logs to stderr; tests install one that keeps the lines.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace base {

enum class Level { debug, info, warn, error };
using LogListener = std::function<void(Level, std::string_view)>;

// Not thread-safe; call before threads start. log() itself may be called from any thread if the listener allows it.
void set_log_listener(LogListener listener);
void log(Level level, const std::string& line);

}  // namespace base
