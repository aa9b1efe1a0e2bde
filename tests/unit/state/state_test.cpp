// What tools leave for others to read: lines that only grow, and the tables that the next full pass looks at first.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/error.hpp"
#include "state/journal.hpp"
#include "state/marks.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-state.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
};

std::string content(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("a journal makes its folder and file at its first line, for the owner alone, and goes on where it was") {
  const Folder folder;
  const fs::path file = folder.path / "deep" / "lines.jsonl";
  {
    state::Journal journal(file);
    journal.sync();
    CHECK_FALSE(fs::exists(file.parent_path()));
    journal.add("{\"n\":1}");
    journal.add("{\"n\":2}");
    journal.sync();
  }
  CHECK(content(file) == "{\"n\":1}\n{\"n\":2}\n");
  CHECK((fs::status(file).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
  state::Journal again(file);
  again.add("{\"n\":3}");
  CHECK(content(file) == "{\"n\":1}\n{\"n\":2}\n");
  again.sync();
  CHECK(content(file) == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
}

TEST_CASE("a full journal is set aside, and no line is cut or lost on the way") {
  const Folder folder;
  const fs::path file = folder.path / "lines.jsonl";
  state::Journal journal(file, 1000);
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const std::string line = "{\"line\":\"" + std::string(40, static_cast<char>('a' + i % 26)) + "\"}";
    journal.add(line);
    journal.sync();
    all += line + "\n";
  }
  const std::string kept = content(file.string() + ".1") + content(file);
  CHECK(content(file.string() + ".1").size() >= 1000);
  CHECK(content(file).size() < 1100);
  REQUIRE(kept.size() <= all.size());
  CHECK(all.substr(all.size() - kept.size()) == kept);
}

TEST_CASE("a table is marked once a node, with its first reason, and the oldest comes first") {
  const Folder folder;
  CHECK(state::marked_tables(folder.path).empty());
  state::mark_table(folder.path, "backup", "public.images", "first", "0/1#1");
  state::mark_table(folder.path, "backup", "public.images", "second", "0/2#1");
  state::mark_table(folder.path, "other", "public.images", "third", "0/3#1");
  state::mark_table(folder.path, "backup", "public.\"a/b\nc\"", "strange name", "0/4#1");
  const std::vector<state::TableMark> marks = state::marked_tables(folder.path);
  REQUIRE(marks.size() == 3);
  CHECK(marks[0].reason == "first");
  CHECK(marks[0].operation_id == "0/1#1");
  CHECK(marks[1].node == "other");
  CHECK(marks[2].table == "public.\"a/b\nc\"");
}

TEST_CASE("a damaged mark is named, and what to do") {
  const Folder folder;
  state::mark_table(folder.path, "backup", "public.images", "why", "0/1#1");
  for (const auto& entry : fs::directory_iterator(folder.path / "marks")) std::ofstream(entry.path()) << "{";
  CHECK_THROWS_AS(state::marked_tables(folder.path), base::Error);
}
