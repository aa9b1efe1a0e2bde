// Events that are in memory already, as a source: for who makes changes himself, to be written by the ordinary way.
// Owns the list, not the values and relations that it points to. Names no source.
#pragma once

#include <vector>

#include "apply/source.hpp"

namespace apply {

class ListSource : public Source {
 public:
  explicit ListSource(std::vector<change::Event> events) : events_(std::move(events)) {}
  std::optional<change::Source> named() override { return std::nullopt; }
  void rewind(const Position&) override { next_ = 0; }
  const change::Event* next(base::Arena&) override { return ended() ? nullptr : &events_[next_++]; }
  bool ready() const override { return true; }
  bool ended() const override { return next_ == events_.size(); }
  void wait(double) override {}
  uint64_t operations() const override { return 0; }
  uint64_t operations_at_end() const override { return 0; }
  change::Lsn covered() const override { return {}; }

 private:
  std::vector<change::Event> events_;
  size_t next_ = 0;
};

}  // namespace apply
