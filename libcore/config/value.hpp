// A YAML document as plain values, each with its place in the file. Owns what this project takes for YAML (one
// document, UTF-8, no key twice, no tag of one's own); knows no setting. For config::load() only.
#pragma once

#include <string>
#include <vector>

namespace config {

// Line and column, both from 1; columns count bytes, as compilers count them.
struct Place {
  int line = 1;
  int column = 1;
};

struct Entry;

struct Value {
  enum class Kind { null, text, list, map };
  Kind kind = Kind::null;
  std::string text;     // a scalar as written, without its quotes
  bool quoted = false;  // it stood in quotes: text, never a number, a boolean or null
  Place place;          // an empty value has its key's place
  std::vector<Value> items;
  std::vector<Entry> entries;  // in the file's order
};

struct Entry {
  std::string key;
  Place place;
  Value value;
};

// Aliases are expanded and `<<` is merged. Throws Error(config) "FILE:LINE:COLUMN: what; what to do".
Value parse_yaml(const std::string& content, const std::string& file);

// The start of every message: "FILE:LINE:COLUMN: ".
std::string at(const std::string& file, Place place);

}  // namespace config
