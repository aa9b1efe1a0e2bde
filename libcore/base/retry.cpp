#include "base/retry.hpp"

#include <algorithm>
#include <cstdio>

#include "base/log.hpp"
#include "base/stop.hpp"

namespace base {

bool Backoff::wait(const std::string& why) {
  ++failures_;
  if ((attempts_ >= 0 && failures_ > attempts_) || stop_requested()) return false;
  if (told_) told_(why);
  char text[16];
  std::snprintf(text, sizeof text, "%g", delay_);
  log(Level::warn, why + "; trying again in " + text + " s");
  const bool stopped = sleep_or_stop(delay_);
  delay_ = std::min(delay_ * 2, std::max(first_delay_, 60.0));
  return !stopped;
}

void Backoff::succeeded() {
  failures_ = 0;
  delay_ = first_delay_;
}

}  // namespace base
