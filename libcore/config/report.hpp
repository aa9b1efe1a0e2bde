// What reading one file has to say: errors that end it, warnings, notes. Owns the form "FILE:LINE:COLUMN: …" and what
// of the user's own text may be repeated. For config::load() only.
#pragma once

#include <string>
#include <vector>

#include "config/value.hpp"

namespace config {

struct Report {
  std::string file;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;

  // Throws Error(config).
  [[noreturn]] void fail(Place place, const std::string& message) const;
  void warn(Place place, const std::string& message) { warnings.push_back(at(file, place) + message); }
  void note(Place place, const std::string& message) { notes.push_back(at(file, place) + message); }
};

// `"text"` cut to a length that fits a message; "a text that may hold a password" where it might.
std::string show(const std::string& text);
// The same for any value: `empty`, `a list`, `a mapping`, `"5" in quotes`, `"abc"`.
std::string show(const Value& value);

}  // namespace config
