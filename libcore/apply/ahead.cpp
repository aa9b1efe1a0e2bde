#include "apply/ahead.hpp"

#include <string>

#include "base/error.hpp"
#include "base/log.hpp"

namespace apply {
namespace {
constexpr int rest_after_failure = 1000;  // batches: what does not fit once seldom fits the next time
}

bool Ahead::begin(const Prepared& prepared, Reach reach) {
  if (rest_ > 0) {
    --rest_;
    return false;
  }
  try {
    if (!standby_) standby_ = std::make_unique<Standby>(settings_, node_, source_);
  } catch (const base::Error& refused) {
    base::log(base::Level::debug, std::string("one session has to do: ") + refused.what());
    rest_ = rest_after_failure;
    return false;
  }
  staged_ = reach == Reach::staging ? &prepared : nullptr;
  writing_ = std::async(std::launch::async, [this, &prepared, reach] {
    if (reach == Reach::all)
      standby_->write(prepared, Sequences::left);
    else
      standby_->stage(prepared);
  });
  return true;
}

bool Ahead::commit(const Position& from, const Position& to, bool durably) {
  in_doubt_ = false;
  try {
    writing_.get();
    if (staged_ != nullptr) standby_->write(*staged_, Sequences::left);
    standby_->commit(from, to, durably);
    return true;
  } catch (const base::Error& failure) {
    base::log(base::Level::debug, std::string(failure.what()) + "; going on one by one");
    in_doubt_ = standby_->in_doubt();
    give_up();
    return false;
  }
}

void Ahead::give_up() {
  if (!standby_) return;
  if (writing_.valid()) writing_.wait();
  writing_ = {};
  standby_.reset();
  rest_ = rest_after_failure;
}

}  // namespace apply
