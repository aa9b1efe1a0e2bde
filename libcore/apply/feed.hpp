// Pieces on their way from the stream to the standby: gathered and prepared by a thread of its own, while the caller
// writes the one before. Owns the thread and the short queue between the two.
#pragma once

#include <atomic>
#include <memory>

#include "apply/gather.hpp"
#include "apply/prepared.hpp"
#include "apply/source.hpp"

namespace apply {

class Feed {
 public:
  struct Item {
    std::unique_ptr<Prepared> prepared;  // null: everything up to `covered` was handed over, as far as is known
    change::Lsn covered;
  };

  // `source` stands where it should begin and is the feed's until the feed is gone. `follow`: goes on until a stop is
  // requested; else until limits.until is reached or the stream ends. Idle streams are looked at every `interval` s.
  // Once `called` is true it ends as soon as it can; a wait of its source is for who sets it to end.
  Feed(Source& source, const Limits& limits, bool follow, double interval, const std::atomic<bool>& called);
  ~Feed();

  // Waits for the next item, or gives an empty one after `seconds`; false at the end. Throws what the stream threw,
  // after the pieces before it.
  bool pop(Item& item, double seconds);
  // Whether a piece is ready, so that pop() would not have to wait for it.
  bool more() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apply
