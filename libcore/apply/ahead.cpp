#include "apply/ahead.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"

namespace apply {
namespace {
constexpr int first_rest = 8;  // batches
constexpr int longest_rest = 1024;
}  // namespace

bool Ahead::begin(const Prepared& prepared, Reach reach) {
  if (rest_ > 0) {
    --rest_;
    return false;
  }
  try {
    if (!standby_) standby_ = std::make_unique<Standby>(settings_, node_, source_);
  } catch (const base::Error& refused) {
    base::log(base::Level::debug, std::string("one session has to do: ") + refused.what());
    rest();
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
    last_rest_ = 0;
    return true;
  } catch (const base::Error& failure) {
    base::log(base::Level::debug, std::string(failure.what()) + "; going on one by one");
    in_doubt_ = standby_->in_doubt();
    rest();
    give_up();
    return false;
  }
}

void Ahead::rest() { rest_ = last_rest_ = std::clamp(last_rest_ * 2, first_rest, longest_rest); }

void Ahead::give_up() {
  if (!standby_) return;
  if (writing_.valid()) {
    writing_.wait();
    writing_ = {};
    rest();
  }
  standby_.reset();
}

}  // namespace apply
