// Whether a tool may sync just now: the switch is on, or a forced pass is at work, which those that pause have to
// serve. Owns the look at both, cheap enough for every turn of a loop, and STATE/forced.lock, which a forced pass locks
// for as long as anything of it lives. Decides nothing else: who asks does the pausing.
#pragma once

#include <filesystem>
#include <string>

#include "state/switches.hpp"

namespace state {

class Gate {
 public:
  static constexpr double look_every = 0.5;  // s; who waits for something else has to ask again as often

  // `configured` is synchronization.auto_sync_enabled. Throws as auto_sync().
  Gate(std::filesystem::path state, bool configured);

  // Looks every half second. A switch that cannot be read any more counts as it was read last, and a warning says so
  // once.
  bool open();
  // Logs a line when it has closed or opened since the last call; `name` begins it, as "capture".
  bool open_as(const std::string& name);
  // The switch, as of the last look.
  const AutoSync& auto_sync() const { return now_; }

 private:
  void look();
  std::filesystem::path state_;
  bool configured_;
  AutoSync now_;
  bool forced_ = false;
  bool open_ = true;
  bool said_open_ = true;
  bool damaged_ = false;
  double looked_;
};

// For a run that does not follow: true, and a line says so, where there is nothing to be done for it now.
bool is_switched_off(const std::filesystem::path& state, bool configured, const std::string& name);

// Whether a pass that was forced (sync-full --force, sync-incremental --force) is at work.
bool forced_pass_runs(const std::filesystem::path& state);

}  // namespace state
