#include "change/json_cursor.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace change {
namespace {

const char* end_of(const Place& place) { return place.line.data() + place.line.size(); }

uint32_t four_hex(const Place& place, const char*& at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at) {
    if (at >= end_of(place)) place.malformed(end_of(place), "the end of the string");
    const char c = *at;
    if (c >= '0' && c <= '9')
      value = value * 16 + static_cast<uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      value = value * 16 + static_cast<uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      value = value * 16 + static_cast<uint32_t>(c - 'A' + 10);
    else
      place.malformed(at, "a hex digit");
  }
  return value;
}

// The code point of the \u escape whose digits begin at `at`; `start` is its backslash.
uint32_t escaped_code(const Place& place, const char* start, const char*& at) {
  const uint32_t code = four_hex(place, at);
  if (code == 0) place.fail(start, "a NUL, which no PostgreSQL text can hold");
  if (code < 0xd800 || code >= 0xe000) return code;
  uint32_t low = 0;
  if (code < 0xdc00 && end_of(place) - at >= 6 && at[0] == '\\' && at[1] == 'u') {
    at += 2;
    low = four_hex(place, at);
  }
  if (low < 0xdc00 || low >= 0xe000) place.fail(start, "malformed JSON: a surrogate without its other half");
  return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

char* put_utf8(char* to, uint32_t code) {
  const auto put = [&to](uint32_t byte) { *to++ = static_cast<char>(byte); };
  const auto put_rest = [&put, code](int shift) { put(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put_rest(0);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put_rest(6);
    put_rest(0);
  } else {
    put(0xf0 | code >> 18);
    put_rest(12);
    put_rest(6);
    put_rest(0);
  }
  return to;
}

// The escape at `at`, its character to `to`: never longer than what it is written as.
char* unescape(const Place& place, const char*& at, char* to) {
  static constexpr std::string_view letters = "\"\\/bfnrt";
  static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const char* const start = at++;
  if (at >= end_of(place)) place.malformed(end_of(place), "the end of the string");
  const char letter = *at++;
  if (letter == 'u') return put_utf8(to, escaped_code(place, start, at));
  const size_t which = letters.find(letter);
  if (which == letters.npos) place.malformed(start, "an escape that JSON knows");
  *to++ = meanings[which];
  return to;
}

}  // namespace

void Place::fail(const char* at, const std::string& what) const {
  throw base::Error(base::Exit::data,
                    name + ":" + std::to_string(number) + ":" + std::to_string(at - line.data() + 1) + ": " + what);
}

void Place::malformed(const char* at, const char* expected) const {
  const bool at_end = at == line.data() + line.size();
  fail(at, std::string("malformed JSON: ") + (at_end ? "the line ends where " : "") + expected +
               (at_end ? " should be" : " expected"));
}

void JsonCursor::wrong(const Place& place, const char* at, const char* wanted) {
  constexpr std::string_view starts_value = "{[\"-0123456789tfn";
  if (at == end_of(place) || starts_value.find(*at) == std::string_view::npos) place.malformed(at, wanted);
  place.fail(at, std::string("wrong type: ") + wanted + " expected");
}

void JsonCursor::no_separator(const Place& place, const char* at, char close) {
  place.malformed(at, close == '}' ? "`,` or `}`" : "`,` or `]`");
}

JsonCursor::Copied JsonCursor::copy_rest(const Place& place, const char* start, const char* at, char* to) {
  const char* const end = end_of(place);
  while (at < end && *at == '\\') {
    to = unescape(place, at, to);
    Scanned found{scan_step, 0};
    for (; found.plain == scan_step && at < end; at += found.plain, to += found.plain) found = scan_copy(at, to);
  }
  if (at >= end) place.malformed(end, "the end of the string");
  if (*at != '"') place.fail(at, "malformed JSON: a control character in a string");
  if (const char* bad = base::find_bad_utf8(start, at)) place.fail(bad, "not UTF-8");
  return {at, to};
}

std::string_view JsonCursor::name(std::string& scratch) {
  if (!is('"')) place_->malformed(at_, "a member's name");
  const std::string_view text = string(scratch, "a name");
  if (!is(':')) place_->malformed(at_, "`:`");
  ++at_;
  step();
  return text;
}

std::string_view JsonCursor::string(std::string& scratch, const char* wanted) {
  if (!is('"')) wrong(*place_, at_, wanted);
  const char* const start = at_ + 1;
  const char* at = start;
  uint64_t high = 0;
  bool escapes = false;
  while (at < end_) {
    char unused[scan_step];
    const Scanned found = scan_copy(at, unused);
    high |= found.high;
    at += found.plain;
    if (found.plain == scan_step) continue;
    if (at >= end_ || *at != '\\') break;
    escapes = true;
    at += 2;
  }
  if (escapes || high != 0 || at >= end_ || *at != '"') {
    scratch.resize(static_cast<size_t>(at - start) + beyond);
    const char* const text_end = copy_string(scratch.data(), wanted);
    scratch.resize(static_cast<size_t>(text_end - scratch.data()));
    return scratch;
  }
  at_ = at + 1;
  step();
  return {start, static_cast<size_t>(at - start)};
}

bool JsonCursor::boolean(const char* wanted) {
  if (!is('t') && !is('f')) wrong(*place_, at_, wanted);
  const bool yes = *at_ == 't';
  take_word(yes ? "true" : "false");
  return yes;
}

std::string_view JsonCursor::digits(const char* wanted) {
  const auto digit = [this] { return at_ != end_ && *at_ >= '0' && *at_ <= '9'; };
  const char* const start = at_;
  if (!is('-') && !digit()) wrong(*place_, at_, wanted);
  if (is('-')) ++at_;
  if (!digit()) place_->malformed(at_, "a digit");
  const char* const first = at_;
  while (digit()) ++at_;
  if (*first == '0' && at_ - first > 1) place_->fail(start, "malformed JSON: a number with a leading zero");
  if (is('.') || is('e') || is('E')) place_->fail(start, std::string("wrong type: ") + wanted + " expected");
  const std::string_view number(start, static_cast<size_t>(at_ - start));
  step();
  return number;
}

void JsonCursor::skip() {
  size_t depth = 0;
  std::string scratch;
  do {
    switch (at_ == end_ ? '\0' : *at_) {
      case '"':
        string(scratch, "a string");
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth == 0) place_->malformed(at_, "a value");
        --depth;
        break;
      case ',':
      case ':':
        if (depth == 0) place_->malformed(at_, "a value");
        break;
      default:
        if (at_ == end_) place_->malformed(at_, "a value");
        // A number, true, false, null or garbage, up to what can end it.
        while (at_ != end_ && std::string_view(",:}]\"").find(*at_) == std::string_view::npos && !is_space(*at_)) ++at_;
        step();
        continue;
    }
    ++at_;
    step();
  } while (depth > 0);
}

}  // namespace change
