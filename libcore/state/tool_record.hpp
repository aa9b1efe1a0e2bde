// What capture and apply leave of themselves for status: STATE/runs/NAME.json, with what failed last, what had to be
// tried again, and how many operations were done when. Owns the file's form. For people to look at: nothing is decided
// by it, and a tool that cannot write it says so once and goes on. One writer a name; anybody reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace state {

struct ToolFacts {
  struct Sample {
    int64_t time = 0;  // microseconds since 1970
    uint64_t operations = 0;
  };
  int64_t pid = 0;
  int64_t started = 0;           // microseconds since 1970, as all times here
  std::optional<int64_t> ended;  // absent while it runs, and where it was killed
  std::optional<int> exit_code;
  uint64_t retries = 0;  // these four: ever
  uint64_t quarantined = 0;
  uint64_t operations = 0;
  std::map<std::string, uint64_t> conflicts;  // by kind
  std::string last_error;                     // empty: none, ever
  int64_t last_error_time = 0;
  std::vector<Sample> recent;  // oldest first, over the last minute or so in which something was done

  // Operations a second over the last minute before `now`; nothing where nothing was ever counted.
  std::optional<double> rate(int64_t now) const;
};

// "capture", or "apply.NODE".
std::filesystem::path tool_path(const std::filesystem::path& state, const std::string& name);
// Nothing where there is none. Throws Error(data) for one that is damaged.
std::optional<ToolFacts> tool_facts(const std::filesystem::path& state, const std::string& name);

class ToolRecord {
 public:
  // A run begins; it goes on with the counts of those before it.
  ToolRecord(const std::filesystem::path& state, const std::string& name);

  void failed(const std::string& why, bool again);  // `again`: it will be tried again
  void conflict(const std::string& kind, uint64_t count) { facts_.conflicts[kind] += count; }
  void quarantined(uint64_t count) { facts_.quarantined += count; }
  // `operations` more were done. Written at most once a second.
  void did(uint64_t operations);
  void ended(int exit_code);

 private:
  void sample(int64_t now);
  void write();
  std::filesystem::path file_;
  ToolFacts facts_;
  double written_ = 0;
  bool complained_ = false;
};

// Pure: the text of the file, and back; `name` is for the error.
std::string facts_text(const ToolFacts& facts);
ToolFacts parse_facts(const std::string& text, const std::string& name);

}  // namespace state
