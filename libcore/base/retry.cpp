#include "base/retry.hpp"

#include <algorithm>

#include "base/stop.hpp"

namespace base {

bool Backoff::wait() {
  ++failures_;
  if (attempts_ >= 0 && failures_ > attempts_) return false;
  const bool stopped = sleep_or_stop(delay_);
  delay_ = std::min(delay_ * 2, 60.0);
  return !stopped;
}

void Backoff::succeeded() {
  failures_ = 0;
  delay_ = first_delay_;
}

}  // namespace base
