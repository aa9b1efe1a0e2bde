#include "config/report.hpp"

#include <algorithm>
#include <cctype>

#include "base/error.hpp"

namespace config {

void Report::fail(Place place, const std::string& message) const {
  throw base::Error(base::Exit::config, at(file, place) + message);
}

std::string show(const std::string& text) {
  std::string low = text;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* const sign : {":", "@", "pass", "pwd", "secret", "token"}) {
    if (low.find(sign) != std::string::npos) return "a text that may hold a password";
  }
  constexpr size_t most = 60;  // enough to find it in the file, short enough for one line
  if (text.size() <= most) return '"' + text + '"';
  size_t cut = most;
  while ((static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;  // not inside a character
  return '"' + text.substr(0, cut) + "…\"";
}

std::string show(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "empty";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a mapping";
    case Value::Kind::text:
      break;
  }
  return show(value.text) + (value.quoted ? " in quotes" : "");
}

}  // namespace config
