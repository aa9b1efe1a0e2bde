// The applier's side of a hold: another program of the same user asks the apply that runs to pause at a batch end, to
// go to exactly one LSN, to wait there, and to go on. Owns the socket STATE/apply.NODE.sock (0600) and the thread that
// speaks on it; applies nothing itself. The open connection is the lease: when it ends, however it ends, or says
// nothing for as long as the time limit, the applier goes on. The words, a line of JSON each way:
//
//   -> {"hold":true}      <- {"held":"LSN"}    nothing is begun on the standby; LSN is its last commit
//   -> {"until":"LSN"}    <- {"at":"LSN"}      everything that commits before the first LSN is applied, nothing else;
//                                              the second is the last commit of it
//   -> {"keep":true}      (no answer)          the asker lives: its time begins anew
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/files.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace apply {

class Hold {
 public:
  // `call`: run by the thread when somebody asks, and, during a hold, when the asker is gone; the run then looks at
  // called(). Where the socket cannot be had a warning says so, and nobody will ask.
  Hold(const config::Settings& settings, const config::Node& node, std::function<void()> call);
  ~Hold();

  // Whether the run has to leave what it does, at a batch end.
  const std::atomic<bool>& called() const;

  // By the run, when nothing is begun: says where the standby is, and waits to be told how far to go. Nothing when the
  // asker is gone, or a stop was requested.
  std::optional<change::Lsn> begin(change::Lsn at);
  // Says that the standby is there, and waits for the end of the lease.
  void arrived(change::Lsn at);
  // The hold is over, however it went: the next asker gets his turn.
  void end();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where the socket of `node` is, and a name for it short enough for the socket's address, valid while `directory` is
// open. For both sides.
struct HoldAddress {
  HoldAddress(const config::Settings& settings, const std::string& node);
  std::filesystem::path path;
  base::Fd directory;
  std::string reachable;  // through /proc/self/fd
};

}  // namespace apply
