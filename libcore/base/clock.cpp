#include "base/clock.hpp"

#include <algorithm>
#include <chrono>

namespace base {

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t unix_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string iso_time(int64_t unix_us) {
  std::string out;
  append_iso_time(out, unix_us);
  return out;
}

// gmtime_r() with snprintf(), and sscanf() with timegm(), cost a microsecond together; every transaction has a time.
void append_iso_time(std::string& out, int64_t unix_us) {
  using namespace std::chrono;
  // Beyond these years no clock is right; the nearest time is written, so that what is written can be read.
  constexpr int64_t last = 253402300799999999;  // 9999-12-31T23:59:59.999999Z
  const sys_time<microseconds> time{microseconds(std::clamp<int64_t>(unix_us, 0, last))};
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const int64_t micros = (time - midnight).count();
  char text[] = "0000-00-00T00:00:00.000000Z";
  const auto put = [&text](int from, int digits, int64_t number) {
    for (int i = from + digits - 1; i >= from; --i, number /= 10) text[i] = static_cast<char>('0' + number % 10);
  };
  put(0, 4, static_cast<int>(date.year()));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, micros / 3600000000);
  put(14, 2, micros / 60000000 % 60);
  put(17, 2, micros / 1000000 % 60);
  put(20, 6, micros % 1000000);
  out.append(text, sizeof text - 1);
}

int64_t parse_iso_time(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
  if (text.size() != form.size()) return -1;
  for (size_t i = 0; i < form.size(); ++i)
    if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i]) return -1;
  const auto number = [text](size_t from, size_t digits) {
    int value = 0;
    for (size_t i = from; i < from + digits; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2)))};
  const int hour = number(11, 2);
  const int minute = number(14, 2);
  const int second = number(17, 2);
  if (!date.ok() || date.year() < year(1970) || hour > 23 || minute > 59 || second > 59) return -1;
  const auto time = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + microseconds(number(20, 6));
  return time.time_since_epoch().count();
}

}  // namespace base
