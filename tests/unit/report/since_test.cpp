// Since when each thing is wrong: first seen, kept, forgotten, and told in words.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "report/since.hpp"
#include "report/text.hpp"
#include "report/words.hpp"
#include "sample.hpp"

namespace {

using report::Snapshot;
using sample::second;

struct Folder {
  std::filesystem::path path;
  Folder() {
    char name[] = "/tmp/pgtandem-since-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

Snapshot broken(int64_t time) {
  Snapshot at = sample::well();
  at.time = time;
  at.slot.exists = false;
  judge_all(at);
  return at;
}

report::Time since(const std::filesystem::path& state, Snapshot at) {
  tell_since(read_first_seen(state, at), at.verdict);
  return at.verdict.findings.at(0).since;
}

}  // namespace

TEST_CASE("a finding has the time at which a health run first saw it, for as long as each sees it") {
  const Folder state;
  CHECK_FALSE(since(state.path, broken(sample::now)));
  Snapshot first = broken(sample::now);
  note_findings(state.path, first);
  CHECK(first.verdict.findings.at(0).since == sample::now);
  Snapshot later = broken(sample::now + 60 * second);
  CHECK(since(state.path, later) == sample::now);
  note_findings(state.path, later);
  CHECK(later.verdict.findings.at(0).since == sample::now);
  Snapshot well = sample::well();
  note_findings(state.path, well);
  Snapshot again = broken(sample::now + 90 * second);
  note_findings(state.path, again);
  CHECK(again.verdict.findings.at(0).since == sample::now + 90 * second);
}

TEST_CASE("a record that is garbage is told, and written anew") {
  const Folder state;
  std::ofstream(state.path / "findings.json") << "[1";
  Snapshot at = broken(sample::now);
  CHECK(read_first_seen(state.path, at).empty());
  CHECK(at.unreadable.size() == 1);
  note_findings(state.path, at);
  CHECK(since(state.path, broken(sample::now + second)) == sample::now);
}

TEST_CASE("what a finding knows itself stands, and is said once") {
  Snapshot at = sample::well();
  at.auto_sync_enabled = false;
  at.switched_by = "alice@host";
  at.switched = sample::now - 3600 * second;
  judge_all(at);
  tell_since({{"sync_disabled/", sample::now}}, at.verdict);
  CHECK(at.verdict.findings.at(0).since == at.switched);
  CHECK(since_words(at.verdict.findings.at(0)).empty());
  at = broken(sample::now);
  tell_since({{"slot_missing/primary_node", sample::now - 60 * second}}, at.verdict);
  CHECK(show_text(at, false, 0).find("cannot be read any more (since 2026-11-28 04:04:06 UTC)\n") != std::string::npos);
  CHECK(plugin_text(at).find("(since 2026-11-28 04:04:06 UTC); ") != std::string::npos);
}
