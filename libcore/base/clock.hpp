// Time: a monotonic clock for deadlines and text for timestamps. All durations in the house are seconds as double.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// Seconds from an arbitrary start; never goes back.
double monotonic_seconds();

// Microseconds since 1970-01-01 UTC.
int64_t unix_microseconds();

// "2026-11-23T04:05:06.123456Z" for microseconds since 1970, and back (-1 if it is not exactly of that form, no day of
// the calendar, or before 1970).
std::string iso_time(int64_t unix_us);
void append_iso_time(std::string& out, int64_t unix_us);
int64_t parse_iso_time(std::string_view text);

}  // namespace base
