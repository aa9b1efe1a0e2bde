// A batch that is written, or at least staged, while the one before it still is written, in a session and a thread of
// its own; it is committed after that one, so the standby sees the primary's order. Owns both; whoever uses it decides
// how far it may go ahead, see independent(). Whatever fails here is written again by the ordinary way.
#pragma once

#include <future>
#include <memory>
#include <optional>

#include "apply/prepared.hpp"
#include "apply/standby.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"

namespace apply {

class Ahead {
 public:
  enum class Reach : uint8_t { staging, all };

  Ahead(const config::Settings& settings, const config::Node& node, std::optional<change::Source> source)
      : settings_(settings), node_(node), source_(std::move(source)) {}
  ~Ahead() { give_up(); }

  // Begins to write and returns at once; `prepared` has to stay until commit() or give_up(). False when it can't: the
  // standby has no second session for us, or it is not long since one failed.
  bool begin(const Prepared& prepared, Reach reach);
  bool running() const { return standby_ != nullptr; }

  // Once the batch before it is committed: writes what is left, and commits; progress goes on from `from`, where the
  // batch before it ended. False when one of the two failed; in_doubt() tells whether it may have been committed all
  // the same.
  bool commit(const Position& from, const Position& to, bool durably);
  bool in_doubt() const { return in_doubt_; }
  Conflicts take_conflicts() { return standby_->take_conflicts(); }

  // Rolls back, if anything was begun. What is being written may wait for a lock of the batch
  // before it, so that batch's session has to be gone.
  void give_up();

 private:
  void rest();

  const config::Settings& settings_;
  const config::Node& node_;
  const std::optional<change::Source> source_;
  std::unique_ptr<Standby> standby_;
  std::future<void> writing_;
  const Prepared* staged_ = nullptr;  // what commit() has to write first
  bool in_doubt_ = false;
  int rest_ = 0;       // batches that go without
  int last_rest_ = 0;  // doubled by each failure: what does not fit once often does not fit again
};

}  // namespace apply
