// One server's side of a comparison: sessions that all see one snapshot, and tasks run in them, a thread each. Owns the
// sessions and the settings by which their plans and texts are the same everywhere; writes nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

class Side {
 public:
  // Connects `jobs` sessions; throws as pg::Session does.
  Side(const config::Node& node, size_t jobs, double lock_timeout);

  // Opens the snapshot, a name of pg_export_snapshot(), in all sessions. Once.
  void look_at(const std::string& snapshot);
  // The same in new sessions, whatever became of the old ones.
  void look_again();

  size_t jobs() const { return sessions_.size(); }
  pg::Session& session(size_t job = 0) { return *sessions_[job]; }
  const std::string& node() const { return session_node_; }

  uint64_t received = 0;  // bytes of answers, about; for reports. Written by whoever joins the tasks

 private:
  void connect(size_t jobs);

  const config::Node& to_;  // the settings'
  std::string session_node_;
  double lock_timeout_;
  std::string snapshot_;
  std::vector<std::unique_ptr<pg::Session>> sessions_;
};

// Runs each task in a thread of its own and waits for all; throws the failure that came first, after the others have
// ended. `meanwhile` is called about five times a second by the caller's thread; what it
// throws ends the tasks, too, as soon as they see it by should_end(), and comes first.
void run_together(std::vector<std::function<void()>> tasks, const std::function<void()>& meanwhile);

// Whether a task of this run has failed, so that the others need not go on.
bool should_end();

}  // namespace compare
