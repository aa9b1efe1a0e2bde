#include "http/board.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "report/words.hpp"

namespace http {
namespace {

// A look is two sessions and a few short statements on each server. Somebody who watches sees what changes within two
// seconds; where nobody does, the charts get a point from each look.
constexpr double pause_watched = 2;
constexpr double pause_unwatched = 10;
constexpr double watched_for = 60;  // after the last question: monitors ask every half minute or so

Point point_of(const report::Snapshot& snapshot) {
  Point out{.time = snapshot.time / 1000000, .sync_queue_size = snapshot.sync_queue_size};
  if (const report::Standby* const slowest = snapshot.slowest()) out.replication_lag = slowest->lag_seconds;
  out.reached = std::all_of(snapshot.nodes.begin(), snapshot.nodes.end(),
                            [](const auto& node) { return node.second.server.reached(); });
  return out;
}

// What was red then is taken to be so still; nothing else of it is known to be so now.
std::shared_ptr<const report::Snapshot> as_stale(const report::Snapshot& last) {
  using report::Level;
  auto out = std::make_shared<report::Snapshot>(last);
  report::Verdict& verdict = out->verdict;
  const std::string what =
      "no look has come to an end since " + report::moment_words(last.time) + ": all of this is as it was then";
  verdict.findings.insert(verdict.findings.begin(),
                          {.level = Level::unknown,
                           .code = "look_stale",
                           .node = {},
                           .what = what,
                           .mend = "systemctl restart pgtandem-status; journalctl -u pgtandem-status says what failed",
                           .since = last.time});
  if (verdict.level != Level::critical) verdict.level = Level::unknown;
  verdict.line = what;
  return out;
}

}  // namespace

Board::Board(const config::Settings& settings, double too_old) : settings_(settings), too_old_(too_old) {
  look();
  thread_ = std::thread([this] { work(); });
}

Board::~Board() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::shared_ptr<const report::Snapshot> Board::now() {
  const std::lock_guard lock(mutex_);
  asked_ = base::monotonic_seconds();
  if (asked_ - taken_ > pause_watched) changed_.notify_all();
  return asked_ - good_ > too_old_ ? as_stale(*snapshot_) : snapshot_;
}

std::string Board::history_json() {
  const std::lock_guard lock(mutex_);
  return ring_.json();
}

void Board::look_again() {
  std::unique_lock lock(mutex_);
  const uint64_t wanted = begun_ + 1;
  wanted_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, std::chrono::seconds(1), [&] { return ended_ >= wanted || over_; });
}

double Board::pause() const {
  return base::monotonic_seconds() - asked_ < watched_for ? pause_watched : pause_unwatched;
}

void Board::work() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    const auto due = [this] { return over_ || wanted_ || base::monotonic_seconds() - taken_ >= pause(); };
    const double left = std::max(0.0, taken_ + pause() - base::monotonic_seconds());
    changed_.wait_for(lock, std::chrono::duration<double>(left), due);
    if (over_ || !due()) continue;
    lock.unlock();
    look();
    lock.lock();
  }
}

void Board::look() {
  const double began = base::monotonic_seconds();
  {
    const std::lock_guard lock(mutex_);
    wanted_ = false;
    ++begun_;
  }
  std::shared_ptr<const report::Snapshot> made;
  try {
    made = std::make_shared<report::Snapshot>(report::take_snapshot(settings_));
  } catch (const std::exception& error) {
    if (!snapshot_) throw;  // the first: the settings are at odds
    base::log(base::Level::error, std::string("cannot look at the state: ") + error.what());
  }
  const std::lock_guard lock(mutex_);
  if (made) {
    snapshot_ = made;
    good_ = base::monotonic_seconds();
    ring_.add(point_of(*made));
  }
  taken_ = began;
  ended_ = begun_;
  changed_.notify_all();
}

}  // namespace http
