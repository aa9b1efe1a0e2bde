// One mapping of the configuration, read key by key. Owns the types that a value may have, and the warning about keys
// that nobody asked for. A reader asks for every key that it knows, then calls finish(). For config::load() only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "config/report.hpp"
#include "config/value.hpp"

namespace config {

class Section {
 public:
  // `path`: "synchronization", or empty for the whole document. `value` must be a mapping or empty; null is an absent
  // one.
  Section(const Value* value, std::string path, Report& report);

  // The value, or null when the key is absent. Marks the key as known, as do all of the functions below.
  const Value* get(const std::string& key);
  // The same for a key that must be there; a misspelt one is named in the error.
  const Value& require(const std::string& key, const std::string& to_do);
  // A mapping inside this one; empty when absent.
  Section section(const std::string& key) { return Section(get(key), name(key), report_); }

  // Each changes `to` only when the key is there, returns its value, and throws Error(config) when it does not fit.
  const Value* boolean(const std::string& key, bool& to);
  const Value* integer(const std::string& key, int64_t& to, int64_t least, int64_t most);
  const Value* integer(const std::string& key, int& to, int least, int most);
  const Value* seconds(const std::string& key, double& to, double least, double most);
  const Value* size(const std::string& key, int64_t& to);
  const Value* text(const std::string& key, std::string& to);
  // Relative paths count from `folder`; `null` makes it empty where `optional`.
  const Value* path(const std::string& key, std::filesystem::path& to, const std::filesystem::path& folder,
                    bool optional = false);
  // Which of `words`, all lower case, it is, by index; case does not count.
  const Value* choice(const std::string& key, size_t& to, const std::vector<std::string>& words);
  // A list of texts, none of them empty.
  const Value* texts(const std::string& key, std::vector<std::string>& to);
  // A program and its arguments; one by a relative path counts from `folder`.
  const Value* program(const std::string& key, std::vector<std::string>& to, const std::filesystem::path& folder);

  // Keys that mean nothing here: accepted whatever their value, one note names those present.
  void unused(std::initializer_list<const char*> keys);

  // Warns of the keys that are in the file and were not asked for.
  void finish();

  const std::vector<Entry>& entries() const { return entries_; }
  Place place() const { return place_; }
  std::string name(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  Report& report() { return report_; }
  // Throws: "NAME is VALUE; write EXPECTED".
  [[noreturn]] void refuse(const std::string& key, const Value& value, const std::string& expected) const;

 private:
  const Value* scalar(const std::string& key, const std::string& expected);
  bool known(const std::string& key) const;

  std::vector<Entry> entries_;
  std::string path_;
  Report& report_;
  Place place_;
  std::vector<std::string> known_;
};

// "0.5" and such, plain decimal numbers; false for anything else, among it nan, inf, hex and leading zeros.
bool parse_number(const std::string& text, double& to);
bool parse_integer(const std::string& text, int64_t& to);

}  // namespace config
