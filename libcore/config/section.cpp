#include "config/section.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/error.hpp"
#include "config/nearest.hpp"
#include "config/settings.hpp"

namespace config {
namespace {

std::string low(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// 2592000.0 as "2592000", 0.001 as "0.001".
std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  return std::string(text, end);
}

// 010 is 8 to some readers of YAML and 10 to others.
bool leading_zero(const std::string& text) {
  const size_t digit = !text.empty() && text[0] == '-' ? 1 : 0;
  return text.size() > digit + 1 && text[digit] == '0' && text[digit + 1] >= '0' && text[digit + 1] <= '9';
}

template <class Number>
bool whole_text(const std::string& text, Number& to) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), to);
  return failed == std::errc() && end == text.data() + text.size() && !text.empty() && !leading_zero(text);
}

}  // namespace

bool parse_integer(const std::string& text, int64_t& to) { return whole_text(text, to); }

bool parse_number(const std::string& text, double& to) { return whole_text(text, to) && std::isfinite(to); }

Section::Section(const Value* value, std::string path, Report& report) : path_(std::move(path)), report_(report) {
  if (!value) return;
  place_ = value->place;
  if (value->kind == Value::Kind::null) return;
  if (value->kind != Value::Kind::map) {
    report_.fail(value->place,
                 (path_.empty() ? "the document" : path_) + " is " + show(*value) + "; write KEY: VALUE lines");
  }
  entries_ = value->entries;
}

void Section::refuse(const std::string& key, const Value& value, const std::string& expected) const {
  report_.fail(value.place, name(key) + " is " + show(value) + "; write " + expected +
                                (value.kind == Value::Kind::text && value.quoted ? ", without quotes" : ""));
}

const Value* Section::get(const std::string& key) {
  known_.push_back(key);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  return found == entries_.end() ? nullptr : &found->value;
}

const Value& Section::require(const std::string& key, const std::string& to_do) {
  if (const Value* value = get(key)) return *value;
  std::string message = name(key) + " is missing; " + to_do;
  for (const Entry& entry : entries_) {
    if (known(entry.key) || nearest(entry.key, {key}).empty()) continue;
    message = name(key) + " is missing; is it what " + show(entry.key) + " in line " +
              std::to_string(entry.place.line) + " should be?";
  }
  report_.fail(place_, message);
}

const Value* Section::scalar(const std::string& key, const std::string& expected) {
  const Value* value = get(key);
  if (value && (value->kind != Value::Kind::text || value->quoted)) refuse(key, *value, expected);
  return value;
}

const Value* Section::boolean(const std::string& key, bool& to) {
  const Value* value = scalar(key, "true or false");
  if (!value) return value;
  const std::string word = low(value->text);  // the words of YAML 1.1: the users' files were read by PyYAML
  const bool yes = word == "true" || word == "yes" || word == "on";
  if (!yes && word != "false" && word != "no" && word != "off") refuse(key, *value, "true or false");
  to = yes;
  return value;
}

const Value* Section::integer(const std::string& key, int64_t& to, int64_t least, int64_t most) {
  const std::string expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const Value* value = scalar(key, expected);
  if (!value) return value;
  int64_t read = 0;
  if (!parse_integer(value->text, read) || read < least || read > most) refuse(key, *value, expected);
  to = read;
  return value;
}

const Value* Section::integer(const std::string& key, int& to, int least, int most) {
  int64_t wide = to;
  const Value* value = integer(key, wide, int64_t{least}, int64_t{most});
  to = static_cast<int>(wide);
  return value;
}

const Value* Section::seconds(const std::string& key, double& to, double least, double most) {
  const std::string expected = "a number of seconds from " + number(least) + " to " + number(most);
  const Value* value = scalar(key, expected);
  if (!value) return value;
  double read = 0;
  if (!parse_number(value->text, read) || read < least || read > most) refuse(key, *value, expected);
  to = read;
  return value;
}

const Value* Section::size(const std::string& key, int64_t& to) {
  const Value* value = get(key);
  if (!value) return value;
  const std::string expected = "a number of bytes above 0, or one with KiB, MiB or GiB, as 10GiB";
  if (value->kind != Value::Kind::text) refuse(key, *value, expected);
  try {
    const int64_t read = parse_size(value->text);
    if (read <= 0) refuse(key, *value, expected);
    to = read;
  } catch (const base::Error&) {
    refuse(key, *value, expected);
  }
  return value;
}

const Value* Section::text(const std::string& key, std::string& to) {
  const Value* value = get(key);
  if (!value) return value;
  if (value->kind != Value::Kind::text || value->text.empty()) refuse(key, *value, "a text");
  to = value->text;
  return value;
}

const Value* Section::path(const std::string& key, std::filesystem::path& to, const std::filesystem::path& folder,
                           bool optional) {
  const Value* value = get(key);
  if (!value) return value;
  if (value->kind == Value::Kind::null && optional) {
    to.clear();
    return value;
  }
  if (value->kind != Value::Kind::text || value->text.empty()) refuse(key, *value, "a path");
  if (value->text[0] == '~') {
    report_.fail(value->place, name(key) + " starts with ~, which only a shell knows; write the directory in full");
  }
  to = (folder / value->text).lexically_normal();
  if (!to.has_filename()) to = to.parent_path();  // "spool/" is "spool"
  return value;
}

const Value* Section::choice(const std::string& key, size_t& to, const std::vector<std::string>& words) {
  const Value* value = get(key);
  if (!value) return value;
  std::string expected;
  for (const std::string& word : words)
    expected += (expected.empty() ? "" : (&word == &words.back() ? " or " : ", ")) + word;
  const auto found = std::find(words.begin(), words.end(), low(value->text));
  if (value->kind != Value::Kind::text || found == words.end()) {
    const std::string meant = value->kind == Value::Kind::text ? nearest(value->text, words) : "";
    report_.fail(value->place, name(key) + " is " + show(*value) + "; write " + expected +
                                   (meant.empty() ? "" : " (" + meant + " perhaps)"));
  }
  to = static_cast<size_t>(found - words.begin());
  return value;
}

const Value* Section::program(const std::string& key, std::vector<std::string>& to,
                              const std::filesystem::path& folder) {
  const Value* value = texts(key, to);
  if (!value) return nullptr;
  if (to.empty()) refuse(key, *value, "a program and its arguments, as [/usr/bin/env, jq]");
  // Without a slash it is looked for in PATH.
  if (to[0].find('/') != std::string::npos) to[0] = (folder / to[0]).lexically_normal().string();
  return value;
}

const Value* Section::texts(const std::string& key, std::vector<std::string>& to) {
  const Value* value = get(key);
  if (!value) return value;
  if (value->kind != Value::Kind::list) refuse(key, *value, "a list, as [a, b]");
  to.clear();
  for (const Value& item : value->items) {
    if (item.kind != Value::Kind::text || item.text.empty()) refuse(key, item, "texts in this list");
    to.push_back(item.text);
  }
  return value;
}

void Section::unused(std::initializer_list<const char*> keys) {
  std::string present;
  Place first;
  for (const char* const key : keys) {
    const Value* value = get(key);
    if (!value) continue;
    if (present.empty()) first = value->place;
    present += (present.empty() ? "" : ", ") + name(key);
  }
  if (!present.empty()) report_.note(first, present + ": without effect here");
}

bool Section::known(const std::string& key) const {
  return std::find(known_.begin(), known_.end(), key) != known_.end();
}

void Section::finish() {
  for (const Entry& entry : entries_) {
    if (known(entry.key)) continue;
    const std::string meant = nearest(entry.key, known_);
    report_.warn(entry.place,
                 "unknown key " + show(entry.key) + (path_.empty() ? "" : " in " + path_) +
                     (meant.empty() ? "; it has no effect, remove it" : "; did you mean \"" + meant + "\"?"));
  }
}

}  // namespace config
