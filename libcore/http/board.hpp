// What is known just now, for whoever asks: the last snapshot, and the last hour of the queue and the lag. Owns the
// thread that looks, so that no request ever waits for a server that hangs. Any thread may ask.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "config/settings.hpp"
#include "http/ring.hpp"
#include "report/snapshot.hpp"

namespace http {

// s without a look that came to an end, after which nobody is to take the last one for the present.
constexpr double look_too_old = 30;

class Board {
 public:
  // Takes the first snapshot before it returns. `settings` must outlive it.
  explicit Board(const config::Settings& settings, double too_old = look_too_old);
  ~Board();  // a look that is under way ends first: 3 s at most

  // The last one, at once: some 2 s old where somebody asked lately, 10 s where nobody did. Where looks hang or fail,
  // it says so: with the finding look_stale, and no level better than unknown.
  std::shared_ptr<const report::Snapshot> now();
  std::string history_json();
  // Waits, up to a second, for a look that began after the call: for what was just turned to be seen.
  void look_again();

 private:
  void work();
  void look();
  double pause() const;

  const config::Settings& settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<const report::Snapshot> snapshot_;
  Ring ring_;
  double asked_ = -1e9;   // monotonic
  const double too_old_;  // s
  double good_ = 0;       // monotonic; when the look that made snapshot_ ended
  double taken_ = 0;      // monotonic; when the look at what snapshot_ shows began
  uint64_t begun_ = 0;    // looks
  uint64_t ended_ = 0;
  bool wanted_ = false;  // now, and not at the next turn
  bool over_ = false;
  std::thread thread_;
};

}  // namespace http
