// The asker's side of a hold: the standby stands still at one place, for as long as this object lives. Owns either the
// connection to the apply that runs (see hold.hpp) or, where none runs, the applier's lock, and then applies itself.
// Whatever becomes of the process, the applier goes on. One thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace apply {

// The applier that was held has ended, or went on by itself: another one is to be had, perhaps.
class LeaseLost : public base::Transient {
 public:
  explicit LeaseLost(const std::string& message) : Transient(base::Exit::try_later, message) {}
};

class Lease {
 public:
  // Tries until `deadline` (of base::monotonic_seconds()). Throws Transient(try_later) when it is not to be had by
  // then, for an apply that cannot be asked, or does a very large transaction; or when a stop was requested.
  Lease(const config::Settings& settings, const std::string& node, double deadline);
  ~Lease();
  Lease(const Lease&) = delete;

  // Says how far: everything that commits before `until` is to be applied, and nothing else.
  void go_to(change::Lsn until);
  // Waits until that is so, and returns the commit LSN of the last transaction on the standby. The queue has to get
  // there. Throws Transient(try_later) after `deadline`, and LeaseLost: then the hold has ended.
  change::Lsn arrive(double deadline);
  // To be called every few seconds while it is held for longer: an asker that says nothing for twice sync_timeout loses
  // it. Throws as arrive().
  void keep();
  // Whether this is the applier, since no other one runs.
  bool alone() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apply
