#include "http/ring.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace http {

void Ring::add(const Point& sample) {
  while (!points_.empty() && points_.back().time > sample.time) points_.pop_back();
  while (!points_.empty() && points_.front().time <= sample.time - span_) points_.pop_front();
  if (points_.empty() || points_.back().time / step_ != sample.time / step_) {
    points_.push_back(sample);
    return;
  }
  Point& last = points_.back();
  last.sync_queue_size = std::max(last.sync_queue_size, sample.sync_queue_size);  // absent is less than any
  last.replication_lag = std::max(last.replication_lag, sample.replication_lag);
  last.reached = last.reached && sample.reached;
}

std::string Ring::json() const {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const Point& point : points_) {
    nlohmann::ordered_json& out = points.emplace_back();
    out["time"] = point.time;
    out["sync_queue_size"] = nullptr;
    if (point.sync_queue_size) out["sync_queue_size"] = *point.sync_queue_size;
    out["replication_lag"] = nullptr;
    if (point.replication_lag) out["replication_lag"] = *point.replication_lag;
    out["reached"] = point.reached;
  }
  return nlohmann::ordered_json{{"span", span_}, {"step", step_}, {"points", points}}.dump() + "\n";
}

}  // namespace http
