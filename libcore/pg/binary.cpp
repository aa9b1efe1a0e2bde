#include "pg/binary.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "pg/bytes.hpp"

namespace pg {
namespace {

template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size();
}

template <class T>
bool append_integer(std::string& out, std::string_view text) {
  T value = 0;
  if (!parse(text, value)) return false;
  append_big_endian(out, value);
  return true;
}

template <class Float, class Bits>
bool append_float(std::string& out, std::string_view text) {
  Float value = 0;
  if (!parse(text, value)) return false;
  if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();  // one NaN, as float8in makes it
  append_big_endian(out, std::bit_cast<Bits>(value));
  return true;
}

bool append_boolean(std::string& out, std::string_view text) {
  const bool yes = text == "t" || text == "true";
  if (!yes && text != "f" && text != "false") return false;
  out += yes ? '\1' : '\0';
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool append_hex(std::string& out, std::string_view digits) {
  if (digits.size() % 2 != 0) return false;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
  }
  return true;
}

bool append_bytea(std::string& out, std::string_view text) {
  return text.starts_with("\\x") && append_hex(out, text.substr(2));
}

bool append_uuid(std::string& out, std::string_view text) {
  if (text.size() != 36) return false;
  for (const size_t dash : {8, 13, 18, 23})
    if (text[dash] != '-') return false;
  return append_hex(out, text.substr(0, 8)) && append_hex(out, text.substr(9, 4)) &&
         append_hex(out, text.substr(14, 4)) && append_hex(out, text.substr(19, 4)) && append_hex(out, text.substr(24));
}

// numeric.c: groups of four decimal digits around the point, the weight of the first, the sign, the digits to show.
bool append_numeric(std::string& out, std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point < text.size() ? text.substr(point + 1) : std::string_view();
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  constexpr size_t most = 16383;  // NUMERIC_DSCALE_MAX
  if (whole.empty() || !digits(whole) || !digits(fraction) || fraction.size() > most) return false;
  std::string all((4 - whole.size() % 4) % 4, '0');
  all += whole;
  int weight = static_cast<int>(all.size() / 4) - 1;
  all += fraction;
  all.resize((all.size() + 3) / 4 * 4, '0');
  std::vector<uint16_t> groups;
  for (size_t i = 0; i < all.size(); i += 4) {
    uint16_t group = 0;
    for (size_t j = i; j < i + 4; ++j) group = static_cast<uint16_t>(group * 10 + (all[j] - '0'));
    if (group == 0 && groups.empty())
      --weight;
    else
      groups.push_back(group);
  }
  while (!groups.empty() && groups.back() == 0) groups.pop_back();
  if (groups.empty()) weight = 0;
  if (weight > std::numeric_limits<int16_t>::max()) return false;
  constexpr uint16_t minus = 0x4000;
  append_big_endian(out, static_cast<uint16_t>(groups.size()));
  append_big_endian(out, static_cast<int16_t>(weight));
  append_big_endian(out, negative && !groups.empty() ? minus : uint16_t{0});
  append_big_endian(out, static_cast<uint16_t>(fraction.size()));
  for (const uint16_t group : groups) append_big_endian(out, group);
  return true;
}

// Takes two (or four) digits and what follows them.
bool take_number(std::string_view& text, size_t digits, char after, unsigned& number) {
  if (text.size() < digits || !parse(text.substr(0, digits), number)) return false;
  text.remove_prefix(digits);
  if (after == '\0') return true;
  if (!text.starts_with(after)) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 2000-01-01, from where PostgreSQL counts.
bool take_date(std::string_view& text, int32_t& days) {
  using namespace std::chrono;
  unsigned y = 0;
  unsigned m = 0;
  unsigned d = 0;
  if (!take_number(text, 4, '-', y) || !take_number(text, 2, '-', m) || !take_number(text, 2, '\0', d)) return false;
  const year_month_day date{year(static_cast<int>(y)), month(m), day(d)};
  constexpr sys_days epoch = year(2000) / January / 1;
  if (y == 0 || !date.ok()) return false;  // the year before 1 is 1 BC
  days = static_cast<int32_t>((sys_days(date) - epoch).count());
  return true;
}

// Of both: the ends of the range stand for what has no end.
template <class Integer>
bool append_infinity(std::string& out, std::string_view text) {
  if (text == "infinity")
    append_big_endian(out, std::numeric_limits<Integer>::max());
  else if (text == "-infinity")
    append_big_endian(out, std::numeric_limits<Integer>::min());
  else
    return false;
  return true;
}

bool append_date(std::string& out, std::string_view text) {
  if (append_infinity<int32_t>(out, text)) return true;
  int32_t days = 0;
  if (!take_date(text, days) || !text.empty()) return false;
  append_big_endian(out, days);
  return true;
}

// `zone`: what ends the text; sessions are pinned to UTC.
bool append_timestamp(std::string& out, std::string_view text, std::string_view zone) {
  if (append_infinity<int64_t>(out, text)) return true;
  if (!text.ends_with(zone)) return false;
  text.remove_suffix(zone.size());
  int32_t days = 0;
  unsigned hours = 0;
  unsigned minutes = 0;
  unsigned seconds = 0;
  if (!take_date(text, days) || !text.starts_with(' ')) return false;
  text.remove_prefix(1);
  if (!take_number(text, 2, ':', hours) || !take_number(text, 2, ':', minutes) || !take_number(text, 2, '\0', seconds))
    return false;
  if (hours > 23 || minutes > 59 || seconds > 59) return false;
  unsigned fraction = 0;
  if (!text.empty()) {
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
    constexpr size_t places = 6;
    const size_t given = text.size();
    if (given == 0 || given > places || !take_number(text, given, '\0', fraction)) return false;
    for (size_t i = given; i < places; ++i) fraction *= 10;
  }
  const int64_t day_seconds = (int64_t{hours} * 60 + minutes) * 60 + seconds;
  append_big_endian(out, (int64_t{days} * 86400 + day_seconds) * 1000000 + fraction);
  return true;
}

bool append_value(std::string& out, Binary form, std::string_view text) {
  switch (form) {
    case Binary::none:
      return false;
    case Binary::boolean:
      return append_boolean(out, text);
    case Binary::int2:
      return append_integer<int16_t>(out, text);
    case Binary::int4:
      return append_integer<int32_t>(out, text);
    case Binary::int8:
      return append_integer<int64_t>(out, text);
    case Binary::float4:
      return append_float<float, uint32_t>(out, text);
    case Binary::float8:
      return append_float<double, uint64_t>(out, text);
    case Binary::numeric:
      return append_numeric(out, text);
    case Binary::text:
      out += text;
      return true;
    case Binary::jsonb:
      out += '\1';  // the version of the form
      out += text;
      return true;
    case Binary::bytea:
      return append_bytea(out, text);
    case Binary::uuid:
      return append_uuid(out, text);
    case Binary::date:
      return append_date(out, text);
    case Binary::timestamp:
      return append_timestamp(out, text, "");
    case Binary::timestamptz:
      return append_timestamp(out, text, "+00");
  }
  return false;
}

}  // namespace

Binary binary_form(uint32_t type, bool is_enum) {
  if (is_enum) return Binary::text;
  switch (type) {  // pg_type.dat
    case 16:
      return Binary::boolean;
    case 17:
      return Binary::bytea;
    case 20:
      return Binary::int8;
    case 21:
      return Binary::int2;
    case 23:
      return Binary::int4;
    case 19:    // name
    case 25:    // text
    case 114:   // json
    case 1042:  // character(n)
    case 1043:  // character varying
      return Binary::text;
    case 700:
      return Binary::float4;
    case 701:
      return Binary::float8;
    case 1082:
      return Binary::date;
    case 1114:
      return Binary::timestamp;
    case 1184:
      return Binary::timestamptz;
    case 1700:
      return Binary::numeric;
    case 2950:
      return Binary::uuid;
    case 3802:
      return Binary::jsonb;
    default:
      return Binary::none;
  }
}

bool append_binary(std::string& out, Binary form, std::string_view text) {
  const size_t start = out.size();
  out.append(sizeof(int32_t), '\0');
  if (!append_value(out, form, text)) {
    out.resize(start);
    return false;
  }
  uint32_t size = static_cast<uint32_t>(out.size() - start - sizeof size);
  for (size_t i = sizeof size; i-- > 0; size >>= 8) out[start + i] = static_cast<char>(size);
  return true;
}

}  // namespace pg
