#include "base/table_name.hpp"

namespace base {
namespace {

bool starts_word(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool in_word(char c) { return starts_word(c) || (c >= '0' && c <= '9') || c == '$'; }

void append_part(std::string& out, const std::string& part) {
  bool plain = !part.empty() && starts_word(part[0]);
  for (const char c : part) plain = plain && in_word(c);
  if (plain) {
    out += part;
    return;
  }
  out += '"';
  for (const char c : part) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// Reads one part from the front of `text`; false with the reason when there is none.
bool take_part(std::string_view& text, std::string& part, std::string& why) {
  part.clear();
  if (text.empty()) {
    why = "a part of the name is empty";
    return false;
  }
  if (text[0] == '"') {
    size_t i = 1;
    for (;; ++i) {
      if (i >= text.size()) {
        why = "a quoted name has no closing quote";
        return false;
      }
      if (text[i] != '"')
        part += text[i];
      else if (i + 1 < text.size() && text[i + 1] == '"')
        part += text[++i];
      else
        break;
    }
    text.remove_prefix(i + 1);
  } else {
    size_t i = 0;
    for (; i < text.size() && text[i] != '.'; ++i) {
      const char c = text[i];
      const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      const bool high = static_cast<unsigned char>(c) >= 0x80;  // PostgreSQL takes any non-ASCII letter in a name
      if (!high && !(i == 0 ? starts_word(low) : in_word(low))) {
        why = std::string("the character '") + (c >= ' ' && c < 127 ? std::string(1, c) : "\\x") +
              "' needs the name in double quotes";
        return false;
      }
      part += low;
    }
    text.remove_prefix(i);
  }
  if (part.empty()) why = "a part of the name is empty";
  // A NUL ends a C string, and no PostgreSQL name has one; 63 bytes is NAMEDATALEN - 1, PostgreSQL cuts longer ones.
  if (part.find('\0') != std::string::npos) why = "a name cannot hold a NUL byte";
  if (part.size() > 63) why = "a name longer than 63 bytes";
  return why.empty();
}

}  // namespace

std::string TableName::text() const {
  std::string out;
  append_part(out, schema);
  out += '.';
  append_part(out, name);
  return out;
}

bool parse_table_name(std::string_view text, TableName& table, std::string& why) {
  why.clear();
  std::string first;
  if (!take_part(text, first, why)) return false;
  if (text.empty()) {
    table = {"public", first};
    return true;
  }
  std::string second;
  if (text[0] != '.') {
    why = "text after the closing quote";
    return false;
  }
  text.remove_prefix(1);
  if (!take_part(text, second, why)) return false;
  if (!text.empty()) {
    why = "more than a schema and a name";
    return false;
  }
  table = {first, second};
  return true;
}

}  // namespace base
