#include "apply/feed.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/stop.hpp"

namespace apply {
namespace {
constexpr size_t ready_pieces = 2;  // they wait while one or two are written: all are busy, and memory is bounded
}

struct Feed::State {
  Source& source;
  Limits limits;
  bool follow;
  double interval;
  const std::atomic<bool>& called;
  Gatherer gatherer;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Item> items;
  bool ended = false;
  bool abandoned = false;
  std::exception_ptr failure;
  std::thread thread;

  // False when nobody wants more.
  bool push(Item item) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return abandoned || items.size() < ready_pieces; });
    if (abandoned) return false;
    items.push_back(std::move(item));
    changed.notify_all();
    return true;
  }

  bool wanted_no_more() {
    const std::lock_guard lock(mutex);
    return abandoned;
  }

  void gather() {
    change::Lsn told;
    while (!base::stop_requested() && !called && !wanted_no_more()) {
      if (std::unique_ptr<Piece> piece = gatherer.next()) {
        if (!push({prepare(std::move(piece)), {}})) return;
        continue;
      }
      const change::Lsn covered = source.covered();
      if (covered > told && !gatherer.at_end()) {
        if (!push({nullptr, covered})) return;
        told = covered;
      }
      if (gatherer.at_end() || (!follow && limits.until && covered >= *limits.until)) return;
      source.wait(interval);
    }
  }

  void run() {
    try {
      gather();
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex);
    ended = true;
    changed.notify_all();
  }
};

Feed::Feed(Source& source, const Limits& limits, bool follow, double interval, const std::atomic<bool>& called)
    : state_(new State{
          source, limits, follow, interval, called, Gatherer(source, limits), {}, {}, {}, false, false, nullptr, {}}) {
  state_->thread = std::thread([this] { state_->run(); });
}

Feed::~Feed() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->abandoned = true;
  }
  state_->changed.notify_all();
  state_->source.abandon();
  state_->thread.join();
}

bool Feed::pop(Item& item, double seconds) {
  std::unique_lock lock(state_->mutex);
  const auto there = [&] { return !state_->items.empty() || state_->ended; };
  constexpr double for_ever = 1e6;  // s; a condition variable takes no infinity
  if (seconds >= for_ever) {
    state_->changed.wait(lock, there);
  } else if (!state_->changed.wait_for(lock, std::chrono::duration<double>(seconds), there)) {
    item = {};
    return true;
  }
  if (!state_->items.empty()) {
    item = std::move(state_->items.front());
    state_->items.pop_front();
    state_->changed.notify_all();
    return true;
  }
  if (state_->failure) std::rethrow_exception(std::exchange(state_->failure, nullptr));
  return false;
}

bool Feed::more() const {
  const std::lock_guard lock(state_->mutex);
  return std::any_of(state_->items.begin(), state_->items.end(),
                     [](const Item& item) { return item.prepared != nullptr; });
}

}  // namespace apply
