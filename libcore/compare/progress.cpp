#include "compare/progress.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace compare {
namespace {

constexpr double log_interval = 30;

}  // namespace

std::string text_of(const Progress& progress) {
  std::string out =
      progress.table + ": " + std::to_string(progress.rows) + " of " +
      (progress.rows > progress.expected ? std::to_string(progress.rows) : std::to_string(progress.expected)) + " rows";
  if (progress.seconds < 1 || progress.rows == 0) return out;
  const double rate = static_cast<double>(progress.rows) / progress.seconds;
  out += ", " + std::to_string(static_cast<uint64_t>(rate)) + " a second";
  if (progress.rows < progress.expected)
    out += ", " +
           std::to_string(static_cast<uint64_t>(static_cast<double>(progress.expected - progress.rows) / rate) + 1) +
           " s left";
  return out;
}

ProgressMeter::ProgressMeter(std::function<void(const Progress&)> show)
    : show_(std::move(show)), told_(base::monotonic_seconds()) {}

void ProgressMeter::begin(const std::string& table, uint64_t expected) {
  progress_ = {table, 0, expected, 0};
  began_ = base::monotonic_seconds();
}

void ProgressMeter::at(uint64_t rows) {
  const double now = base::monotonic_seconds();
  progress_.rows = rows;
  progress_.seconds = now - began_;
  if (show_) {
    show_(progress_);
  } else if (now - told_ >= log_interval) {
    told_ = now;
    base::log(base::Level::info, text_of(progress_));
  }
}

}  // namespace compare
