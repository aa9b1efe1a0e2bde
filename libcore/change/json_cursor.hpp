// One line of JSON taken apart token by token, strictly (RFC 8259, UTF-8), for the reader of the change format. Owns
// the place in the line; knows nothing of changes, keeps no tree and never recurses, so nesting costs nothing. Every
// refusal names the byte. Only change::Reader calls it.
//
// Why not simdjson: what a row needs is its strings copied out and its names compared to names known beforehand, which
// one pass over the bytes does. simdjson 3.0 indexes the line first, compiles its On-Demand interface to a portable
// kernel on Debian's baseline, and its DOM forgets where a value stood. Best of many runs for a begin, an insert of 30
// columns and a commit: 3.4 us with On-Demand, 0.8 us for its DOM (AVX-512) before a value is looked at, 1.0 us here.
#pragma once

#include <string>
#include <string_view>

#include "change/json_scan.hpp"

namespace change {

// Where a line stands, for refusals: an Error(data) "NAME:LINE:POSITION: what", positions in bytes from 1.
struct Place {
  std::string name;
  size_t number = 0;
  std::string_view line;
  [[noreturn]] void fail(const char* at, const std::string& what) const;
  // The same for what is no JSON, or ends too early.
  [[noreturn]] void malformed(const char* at, const char* expected) const;
};

// Everything on the way of a well-formed row is inline and calls nothing that takes `this`: a copy of a cursor in a
// loop then lives in registers, which saves a third of a row's time.
class JsonCursor {
 public:
  // So many bytes after the line must be readable, and after what copy_string() writes writable.
  static constexpr size_t beyond = scan_step;

  explicit JsonCursor(const Place& place)
      : place_(&place), at_(place.line.data()), end_(place.line.data() + place.line.size()) {
    step();
  }

  // The place of the token that comes next; the cursor never stands on space.
  const char* at() const { return at_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  // Enters an object ('{') or an array ('['); false when it is empty, and then it is left already.
  bool open(char bracket, const char* wanted) {
    if (!is(bracket)) wrong(*place_, at_, wanted);
    ++at_;
    step();
    if (!is(closing(bracket))) return true;
    ++at_;
    step();
    return false;
  }
  // After a value: true at a comma, and steps over it; false where the object ('}') or array (']') ends.
  bool more(char close) {
    if (!is(',') && !is(close)) no_separator(*place_, at_, close);
    const bool comma = *at_++ == ',';
    step();
    return comma;
  }
  // Calls `take` before each element of an array ('[') or each member of an object ('{').
  template <class Take>
  void each(char bracket, const char* wanted, Take take) {
    if (!open(bracket, wanted)) return;
    do take();
    while (more(closing(bracket)));
  }

  // Steps over a token, or a name with its colon, if it is spelled exactly so: `"name":`. At least 4 bytes.
  [[gnu::always_inline]] bool spelled(std::string_view token) {
    if (left() < token.size() || !same(at_, token.data(), token.size())) return false;
    at_ += token.size();
    step();
    return true;
  }
  // A member's name, and its colon. As string().
  std::string_view name(std::string& scratch);
  // A string; points into the line, or into `scratch` where it has escapes.
  std::string_view string(std::string& scratch, const char* wanted);
  // A string's text to `to`, which has room for left() + beyond bytes. Returns its end.
  [[gnu::always_inline]] char* copy_string(char* to, const char* wanted) {
    if (!is('"')) wrong(*place_, at_, wanted);
    const char* const start = at_ + 1;
    const char* at = start;
    uint64_t high = 0;
    Scanned found{scan_step, 0};
    for (; found.plain == scan_step && at < end_; at += found.plain, to += found.plain) {
      found = scan_copy(at, to);
      high |= found.high;
    }
    if (at >= end_ || *at != '"' || high != 0) {
      const Copied rest = copy_rest(*place_, start, at, to);
      at = rest.from;
      to = rest.to;
    }
    at_ = at + 1;
    step();
    return to;
  }
  bool null() {
    if (!is('n')) return false;
    take_word("null");
    return true;
  }
  bool boolean(const char* wanted);
  // The digits of a whole number, with its sign.
  std::string_view digits(const char* wanted);
  // Steps over a value of any kind without looking closely: only for what is read elsewhere.
  void skip();
  // There is nothing left.
  void end() const {
    if (at_ != end_) place_->fail(at_, "malformed JSON: text after the object");
  }

 private:
  struct Copied {
    const char* from;
    char* to;
  };
  bool is(char c) const { return at_ != end_ && *at_ == c; }
  void step() {
    while (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ' && is_space(*at_)) ++at_;
  }
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static constexpr char closing(char bracket) { return static_cast<char>(bracket + 2); }  // so it is in ASCII
  void take_word(std::string_view word) {
    if (left() < word.size() || !same(at_, word.data(), word.size())) place_->malformed(at_, word.data());
    at_ += word.size();
    step();
  }
  // What copy_string() leaves: escapes, the check of UTF-8, refusals. Returns the places of the closing quote.
  static Copied copy_rest(const Place& place, const char* start, const char* at, char* to);
  [[noreturn]] static void wrong(const Place& place, const char* at, const char* wanted);
  [[noreturn]] static void no_separator(const Place& place, const char* at, char close);

  const Place* place_;
  const char* at_;
  const char* end_;
};

}  // namespace change
