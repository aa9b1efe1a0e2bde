// The examples in man/pgtandem-changes.5 are what they say: its lines are a stream that the reader takes, and its
// filters leave one.
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
  const std::string given =
      R"({"type":"relation","table":"public.images","columns":[{"name":"id","type":"integer"}],"key":["id"]}
{"type":"relation","table":"public.sessions","columns":[{"name":"id","type":"uuid"}],"key":["id"]}
{"type":"relation","table":"public.users","columns":[{"name":"id","type":"integer"},{"name":"password","type":"text"}],"key":["id"]}
{"type":"begin","lsn":"0/10"}
{"type":"insert","table":"public.images","key":{"id":42},"new":{"id":42}}
{"type":"insert","table":"public.sessions","new":{"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}}
{"type":"insert","table":"public.users","key":{"id":7},"new":{"id":7,"password":"secret"}}
{"type":"update","table":"public.users","key":{"id":7},"new":{"id":7},"unchanged":["password"]}
{"type":"delete","table":"public.users","key":{"id":7}}
{"type":"truncate","tables":["public.images"]}
{"type":"commit","lsn":"0/10","end_lsn":"0/20","changes":6}
{"type":"keepalive","lsn":"0/30"}
)";
  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("page-" + std::to_string(::getpid()));
  std::ofstream(file) << given;
  REQUIRE(filters().size() == 4);
  for (const Example& filter : filters()) {
    CAPTURE(filter.text);
    FILE* pipe = ::popen((filter.text + " <" + file.string()).c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string left;
    char buffer[4096];
    while (const size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) left.append(buffer, n);
    CHECK(::pclose(pipe) == 0);
    CHECK(left.find(R"({"type":"insert","table":"public.images","key":{"id":42},"new":{"id":42}})") != left.npos);
    CHECK(left.size() < given.size());
    if (filter.of_queue) continue;
    Lines lines;
    lines.read_written(left);
    CHECK_FALSE(lines.reader.in_transaction());
    CHECK(left.ends_with("{\"type\":\"keepalive\",\"lsn\":\"0/30\"}\n"));
  }
  std::filesystem::remove(file);
}
