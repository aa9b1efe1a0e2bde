#include "apply/declared_type.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace apply {
namespace {

// numeric(8,2) as numeric, 8 and 2; timestamp(0) without time zone as timestamp without time zone and 0.
struct Declared {
  std::string name;
  std::optional<int> first;
  int second = 0;
};

Declared parse(const std::string& text) {
  Declared out{text, {}, 0};
  const size_t open = text.find('(');
  const size_t close = text.find(')', open);
  if (open == text.npos || close == text.npos) return out;
  const char* const end = text.data() + close;
  int number = 0;
  const auto [after, wrong] = std::from_chars(text.data() + open + 1, end, number);
  if (wrong != std::errc()) return out;
  if (after != end && (*after != ',' || std::from_chars(after + 1, end, out.second).ptr != end)) return out;
  out.first = number;
  out.name = text.substr(0, open) + text.substr(close + 1);
  return out;
}

// Digits before the point that an integer has for sure; 0 for another type.
int digits_of(std::string_view type) {
  return type == "smallint" ? 4 : type == "integer" ? 9 : type == "bigint" ? 18 : 0;
}

Holds holds_number(const Declared& there, const Declared& primary) {
  const int ours = digits_of(primary.name);
  const int theirs = digits_of(there.name);
  if (theirs > 0 && ours > 0) return theirs < ours ? Holds::not_all : Holds::all;
  if (theirs > 0)  // of a numeric
    return !primary.first || primary.second > 0       ? Holds::rounded
           : *primary.first - primary.second > theirs ? Holds::not_all
                                                      : Holds::all;
  if (!there.first) return Holds::all;
  if (ours > 0) return *there.first - there.second > ours ? Holds::all : Holds::not_all;
  if (!primary.first || primary.second > there.second) return Holds::rounded;
  return *there.first - there.second < *primary.first - primary.second ? Holds::not_all : Holds::all;
}

bool is_number(const std::string& type) { return type == "numeric" || digits_of(type) > 0; }
bool is_bounded_text(const std::string& type) {
  return type == "character varying" || type == "character" || type == "bit varying";
}
bool is_text(const std::string& type) { return type == "text" || type == "character varying" || type == "character"; }
bool is_of_time(const std::string& type) {
  static constexpr std::array names = {"timestamp without time zone", "timestamp with time zone",
                                       "time without time zone", "time with time zone", "interval"};
  return std::ranges::find(names, type) != names.end();
}

}  // namespace

Holds holds(const std::string& there, const std::string& primary) {
  constexpr std::string_view array = "[]";
  if (there.ends_with(array) && primary.ends_with(array))
    return holds(there.substr(0, there.size() - 2), primary.substr(0, primary.size() - 2));
  const Declared ours = parse(primary);
  const Declared theirs = parse(there);
  if (is_number(ours.name) && is_number(theirs.name)) return holds_number(theirs, ours);
  if (theirs.name == "real" && ours.name == "double precision") return Holds::rounded;
  if (theirs.name == "date" && ours.name.starts_with("timestamp")) return Holds::rounded;
  if (is_of_time(theirs.name) && theirs.name == ours.name)
    return theirs.first && *theirs.first < ours.first.value_or(6) ? Holds::rounded : Holds::all;
  const bool texts = theirs.name == ours.name || (is_text(theirs.name) && is_text(ours.name));
  if (!texts || !is_bounded_text(theirs.name) || !theirs.first) return Holds::all;
  return !ours.first || *ours.first > *theirs.first ? Holds::not_all : Holds::all;
}

std::string declared_in(const std::string& definition) {
  return definition.substr(0, std::min(definition.find(" COLLATE "), definition.find(" NOT NULL")));
}

}  // namespace apply
