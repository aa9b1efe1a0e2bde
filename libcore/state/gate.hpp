// Whether a tool may sync just now: the switch is on, or a forced pass is at work, which those that pause have to
// serve. Owns the look at both, cheap enough for every turn of a loop, and STATE/forced.lock, which a forced pass locks
// for as long as anything of it lives. Decides nothing else: who asks does the pausing.
#pragma once

#include <filesystem>
#include <string>

#include "base/watch.hpp"
#include "state/switches.hpp"

namespace state {

class Gate {
 public:
  // `configured` is synchronization.auto_sync_enabled. Makes the state directory where there is none.
  Gate(std::filesystem::path state, bool configured);

  // Looks when the directory changed, and every half second. A file that cannot be read leaves the gate as it was, and
  // a warning says so once.
  bool open();
  // Logs a line when it has closed or opened since the last call; `name` begins it, as "capture".
  bool open_as(const std::string& name);
  // The switch, as of the last look.
  const AutoSync& auto_sync() const { return now_; }
  // Readable when open() may have another answer; -1 where inotify is not to be had. open() drains it.
  int fd() const { return watch_.fd(); }

 private:
  void look();
  std::filesystem::path state_;
  bool configured_;
  base::DirectoryWatch watch_;
  AutoSync now_;
  bool open_ = true;
  bool said_open_ = true;
  bool damaged_ = false;
  double looked_ = -1;
};

// Whether a pass that was forced (sync-full --force, sync-incremental --force) is at work.
bool forced_pass_runs(const std::filesystem::path& state);

}  // namespace state
