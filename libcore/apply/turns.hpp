// The one or two sessions that write to the standby by turns: while the leading one writes and commits a batch, the
// other one writes, or at least stages, the batch after it; then that one leads. Batches are committed in their order.
// Owns the sessions and decides how far a batch may go ahead; what failed ahead is written again by the ordinary way.
#pragma once

#include <memory>
#include <optional>

#include "apply/prepared.hpp"
#include "apply/standby.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"

namespace apply {

class Turns {
 public:
  Turns(const config::Settings& settings, const config::Node& node, std::optional<change::Source> source,
        Incidents& incidents, const std::optional<Pin>& pin)
      : settings_(settings), node_(node), source_(std::move(source)), incidents_(incidents), pin_(pin) {}
  ~Turns() { disconnect(); }

  // (Again.) Rolls back whatever was begun; returns where the standby is. Throws as Standby does.
  Position connect();
  void disconnect();
  bool connected() const { return leading_ != nullptr; }
  Standby& leading() { return *leading_; }

  // The stream that batches were of goes, see Targets; nothing is begun.
  void forget_addresses();

  // Begins `second`, the batch after `first`, which leads and is not committed, as far as it may; or does nothing.
  void begin_ahead(const Prepared& first, const Prepared& second);
  bool ahead() const { return other_ && other_->has_begun(); }
  bool busy() const { return ahead() || (leading_ && leading_->has_begun()); }
  // One of two batches failed beside the other: the next ones go one by one.
  void rest();
  // The batch that leads is committed: the one after it leads, if it was begun.
  void next();

 private:
  const config::Settings& settings_;
  const config::Node& node_;
  const std::optional<change::Source> source_;
  Incidents& incidents_;
  const std::optional<Pin> pin_;
  std::unique_ptr<Standby> other_;
  std::unique_ptr<Standby> leading_;
  bool went_ahead_ = false;  // the batch that leads did
  int went_well_ = 0;        // batches in a row that went ahead
  int rest_ = 0;             // batches that go without
  int last_rest_ = 0;        // doubled by each failure: what does not fit once often does not fit again
};

}  // namespace apply
