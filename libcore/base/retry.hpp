// Back-off between attempts. Owns the count and the wait; the caller decides what is worth another try.
#pragma once

#include <functional>
#include <string>
#include <utility>

namespace base {

class Backoff {
 public:
  // `attempts` after the first failure, then give up; below zero means never. `first_delay` seconds, doubled each
  // time up to a minute: long enough to spare a struggling server, short enough to be back soon after it is.
  // `told` hears of each failure that is tried again.
  Backoff(int attempts, double first_delay, std::function<void(const std::string&)> told = {})
      : attempts_(attempts), first_delay_(first_delay), delay_(first_delay), told_(std::move(told)) {}

  // Waits for the next attempt, and says so as a warning with `why`; false when there is none left or a stop was
  // requested.
  bool wait(const std::string& why);
  // An attempt succeeded: the next failure counts from the start.
  void succeeded();

 private:
  int attempts_;
  double first_delay_;
  double delay_;
  int failures_ = 0;
  std::function<void(const std::string&)> told_;
};

}  // namespace base
