#include "apply/turns.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"

namespace apply {
namespace {
constexpr int first_rest = 8;  // batches
constexpr int longest_rest = 1024;
constexpr int all_is_well = 256;  // so many went ahead since: the next failure is a new one
}  // namespace

Position Turns::connect() {
  disconnect();
  auto session = std::make_unique<Standby>(settings_, node_, source_, incidents_, pin_);
  const Position at = session->read_position();
  leading_ = std::move(session);
  return at;
}

// The other one may wait for locks of the leading one.
void Turns::disconnect() {
  went_ahead_ = false;
  leading_.reset();
  other_.reset();
}

void Turns::forget_addresses() {
  if (leading_) leading_->forget_addresses();
  if (other_) other_->forget_addresses();
}

void Turns::begin_ahead(const Prepared& first, const Prepared& second) {
  if (!is_whole_and_folded(first) || !is_whole_and_folded(second)) return;
  if (rest_ > 0) {
    --rest_;
    return;
  }
  try {
    if (!other_) other_ = std::make_unique<Standby>(settings_, node_, source_, incidents_, pin_);
    // Asked of this session: the leading one may be busy.
    if (!other_->can_fold(first) || !other_->may_go_ahead(second)) return;
    other_->begin(parts_of(first, second, other_->may_overlap(first) && other_->may_overlap(second)));
  } catch (const std::exception& refused) {  // of the tables: the ordinary way meets it again; no thread, or no session
    base::log(base::Level::debug, std::string("one session has to do: ") + refused.what());
    other_.reset();
    rest();
  }
}

void Turns::rest() {
  rest_ = last_rest_ = went_well_ < all_is_well ? std::clamp(last_rest_ * 2, first_rest, longest_rest) : first_rest;
  went_well_ = 0;
}

void Turns::next() {
  if (went_ahead_) ++went_well_;
  went_ahead_ = ahead();
  if (went_ahead_) std::swap(leading_, other_);
}

}  // namespace apply
