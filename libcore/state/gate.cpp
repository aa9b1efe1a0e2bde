#include "state/gate.hpp"

#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/locked.hpp"
#include "base/log.hpp"

namespace state {

bool forced_pass_runs(const std::filesystem::path& state) { return base::is_locked(state / "forced.lock"); }

bool is_switched_off(const std::filesystem::path& state, bool configured, const std::string& name) {
  Gate gate(state, configured);
  if (gate.open()) return false;
  base::log(base::Level::info, name + ": " + text_of(gate.auto_sync()) + "; nothing done");
  return true;
}

Gate::Gate(std::filesystem::path state, bool configured)
    : state_(std::move(state)), configured_(configured), now_(state::auto_sync(state_, configured)) {
  look();
}

bool Gate::open() {
  if (base::monotonic_seconds() - looked_ >= look_every) look();
  return open_;
}

void Gate::look() {
  looked_ = base::monotonic_seconds();
  std::string why;
  const auto read = [&](const auto& one) {
    try {
      one();
    } catch (const base::Error& failure) {
      why = failure.what();
    }
  };
  // Each by itself: a forced pass that ends while the switch cannot be read must not leave open what was off.
  read([&] { now_ = state::auto_sync(state_, configured_); });
  read([&] { forced_ = forced_pass_runs(state_); });
  open_ = now_.enabled || forced_;
  if (!why.empty() && !std::exchange(damaged_, true))
    base::log(base::Level::warn, why + (now_.enabled ? "; going on" : "; waiting on") + ", as it was before");
  damaged_ = !why.empty();
}

bool Gate::open_as(const std::string& name) {
  const bool now = open();
  if (now != std::exchange(said_open_, now)) {
    if (!now)
      base::log(base::Level::warn, name + ": " + text_of(now_) + ": waiting until pgtandem status enable");
    else
      base::log(base::Level::info, name + (now_.enabled ? ": " + text_of(now_) + ": going on"
                                                        : ": going on for a forced pass, and no longer"));
  }
  return now;
}

}  // namespace state
