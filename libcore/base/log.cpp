#include "base/log.hpp"

namespace base {
namespace {
LogListener listener;
}

void set_log_listener(LogListener l) { listener = std::move(l); }

void log(Level level, const std::string& line) {
  if (listener) listener(level, line);
}

}  // namespace base
