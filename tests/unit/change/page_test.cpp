// The examples in man/pgtandem-changes.5 are what they say: its lines are a stream that the reader takes, and its
// filters leave one.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "rows.hpp"

namespace {

struct Example {
  std::string text;
  bool of_queue = false;  // "pgtandem queue get |" stands before it: a look, not a filter of a stream
};

// The literal blocks of the page as a reader sees them.
std::vector<std::string> blocks() {
  std::ifstream page(PGTANDEM_SOURCE "/man/pgtandem-changes.5");
  std::vector<std::string> out;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == ".Ed") inside = false;
    if (inside) out.back() += line + "\n";
    if (line.starts_with(".Bd -literal")) {
      inside = true;
      out.emplace_back();
    }
  }
  return out;
}

// One line each again: the page breaks them.
std::vector<std::string> stream() {
  std::vector<std::string> lines;
  std::istringstream in(blocks().front());
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("{\"type\"")) lines.emplace_back();
    lines.back() += line;
  }
  return lines;
}

std::vector<Example> filters() {
  std::vector<Example> out;
  for (const std::string& block : blocks()) {
    const size_t at = block.find("jq -c '");
    if (at == block.npos) continue;
    out.push_back({block.substr(at, block.find('\'', at + 7) + 1 - at), block.starts_with("pgtandem queue get")});
  }
  return out;
}

}  // namespace

TEST_CASE("the lines in the page are a stream") {
  Lines lines;
  for (const std::string& line : stream()) {
    CAPTURE(line);
    CHECK(lines.refusal(line).empty());
  }
  CHECK(lines.number == 9);
  CHECK_FALSE(lines.reader.in_transaction());
}

TEST_CASE("the filters in the page leave a stream") {
  REQUIRE(filters().size() >= 4);
  const std::filesystem::path given = std::filesystem::temp_directory_path() / ("page-" + std::to_string(::getpid()));
  {
    std::ofstream out(given);
    for (std::string line : stream()) {
      out << line << "\n";
      // The tables and columns that the filters leave out.
      if (!line.starts_with("{\"type\":\"relation\"") && !line.starts_with("{\"type\":\"insert\"") &&
          !line.starts_with("{\"type\":\"update\""))
        continue;
      for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
               {"public.images", "public.users"}, {"title", "password"}, {"exif", "password"}}) {
        std::string other = line;
        const auto swap = [&other](const std::string& a, const std::string& b) {
          for (size_t at = 0; (at = other.find(a, at)) != other.npos; at += b.size()) other.replace(at, a.size(), b);
        };
        swap("public.images", "public.users");
        if (from != "public.images") swap(from, to);
        if (line.starts_with("{\"type\":\"relation\"") || from == "title") out << other << "\n";
      }
    }
  }
  for (const Example& filter : filters()) {
    CAPTURE(filter.text);
    FILE* pipe = ::popen((filter.text + " <" + given.string()).c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    char buffer[4096];
    while (const size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    CHECK(::pclose(pipe) == 0);
    CHECK(out.find("public.images") != out.npos);
    if (filter.of_queue) continue;
    CHECK(out.find("password") == out.npos);
    Lines lines;
    std::istringstream in(out);
    for (std::string line; std::getline(in, line);) {
      CAPTURE(line);
      CHECK(lines.refusal(line).empty());
    }
    CHECK(lines.number >= 5);
  }
  std::filesystem::remove(given);
}
