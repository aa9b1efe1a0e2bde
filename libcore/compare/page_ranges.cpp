#include "compare/page_ranges.hpp"

#include <algorithm>

namespace compare {
namespace {

constexpr double seconds_wanted = 1;   // so often progress is seen and a stop heard; a query's start costs milliseconds
constexpr uint64_t first_size = 4096;  // pages, 32 MB
constexpr uint64_t at_once = 128 * 1024;  // pages, 1 GiB: some seconds

}  // namespace

PageRanges::PageRanges(uint64_t pages, uint64_t least, size_t sessions, bool divisible)
    : pages_(pages),
      least_(std::max<uint64_t>(least, 1)),
      size_(std::max(first_size, least_)),
      sessions_(sessions),
      divisible_(divisible && (sessions > 1 || pages > at_once)) {}

bool PageRanges::next(Range& range, double took) {
  const std::lock_guard lock(mutex_);
  if (ended_) return false;
  if (took > 0)
    size_ = std::max(static_cast<uint64_t>(static_cast<double>(size_) * std::clamp(seconds_wanted / took, 0.5, 2.0)),
                     least_);
  const uint64_t left = pages_ - at_;
  // Towards the end they get smaller, so that all sessions end together.
  uint64_t size = size_;
  if (sessions_ > 1) size = std::min(size, std::max(left / (2 * sessions_), least_));
  range.begin = at_;
  range.last = !divisible_ || left < size + least_;
  at_ += range.last ? left : size;
  range.end = at_;
  ended_ = range.last;
  return true;
}

std::string range_sql(const PageRanges::Range& range) {
  if (range.begin == 0 && range.last) return "";
  std::string out = "ctid >= '(" + std::to_string(range.begin) + ",0)'";
  if (!range.last) out += " AND ctid < '(" + std::to_string(range.end) + ",0)'";
  return out;
}

}  // namespace compare
