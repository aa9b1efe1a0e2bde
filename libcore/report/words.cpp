#include "report/words.hpp"

#include <cstdio>

#include "base/clock.hpp"

namespace report {
namespace {

std::string printed(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// "2 h 5 min": a whole number of the larger unit, and what is left in the smaller.
std::string two_units(int64_t whole, int64_t size, const char* large, int64_t small_size, const char* small) {
  const int64_t rest = whole % size / small_size;
  const std::string text = std::to_string(whole / size) + large;
  return rest == 0 ? text : text + " " + std::to_string(rest) + small;
}

}  // namespace

std::string span_words(double seconds) {
  constexpr int64_t minute = 60;
  constexpr int64_t hour = 60 * minute;
  constexpr int64_t day = 24 * hour;
  const auto whole = static_cast<int64_t>(seconds);
  if (seconds < 9.95) return printed("%.1f s", seconds);
  if (whole < 2 * minute) return std::to_string(whole) + " s";
  if (whole < 2 * hour) return std::to_string(whole / minute) + " min";
  if (whole < 2 * day) return two_units(whole, hour, " h", minute, " min");
  return two_units(whole, day, " d", hour, " h");
}

std::string moment_words(const Time& time) {
  if (!time) return "never";
  std::string text = base::iso_time(*time);  // 2026-11-23T04:05:06.123456Z
  text[text.find('T')] = ' ';
  return text.substr(0, text.find('.')) + " UTC";
}

std::string since_words(const Finding& finding) {
  if (!finding.since || finding.what.find(moment_words(finding.since)) != std::string::npos) return {};
  return " (since " + moment_words(finding.since) + ")";
}

double seconds_between(int64_t from, int64_t to) { return to > from ? static_cast<double>(to - from) / 1e6 : 0; }

const char* name_of(config::Role role) { return role == config::Role::primary ? "primary" : "secondary"; }

}  // namespace report
