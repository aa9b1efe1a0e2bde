// What the queue and the lag were over the last hour, for the page's charts. Owns the points; pure. One thread at a
// time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace http {

struct Point {
  int64_t time = 0;                              // s since 1970, of its first sample
  std::optional<uint64_t> sync_queue_size = {};  // operations; absent: not known
  std::optional<double> replication_lag = {};    // s; absent: not known
  bool reached = false;                          // all servers answered, all the time
  bool operator==(const Point&) const = default;
};

class Ring {
 public:
  // A point for each `step` seconds that had a sample, for the last `span` of them. 360 points draw an hour as finely
  // as a screen shows it.
  explicit Ring(int64_t span = 3600, int64_t step = 10) : span_(span), step_(step) {}

  // Samples of one step become one point, by what was worst in it: a peak must not hide between two looks. A clock
  // that was set back takes the points that are now in the future with it.
  void add(const Point& sample);
  const std::deque<Point>& points() const { return points_; }  // oldest first

  // {"step":10,"span":3600,"points":[{"time":…,"sync_queue_size":…,"replication_lag":…,"reached":…},…]}
  std::string json() const;

 private:
  int64_t span_;
  int64_t step_;
  std::deque<Point> points_;
};

}  // namespace http
