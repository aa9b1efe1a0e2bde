// Many operations in quarantine: counted by the names of their files, of which the last few alone are read.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "report/local.hpp"
#include "spool/dead.hpp"
#include "spool/layout.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-quarantine.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("a look opens none of ten thousand operations in quarantine but the last few, and counts them by standby") {
  const Folder folder;
  config::Settings settings;
  settings.state_directory = folder.path / "state";
  settings.spool.directory = folder.path / "spool";
  spool::make_spool_directories(settings.spool.directory);
  constexpr uint64_t old = 10'000;
  for (uint64_t i = 1; i <= old; ++i)  // whoever reads one of these says that it is damaged
    std::ofstream(spool::dead_letter_path(settings.spool.directory, change::Lsn{i}, 1, "a")) << "garbage";
  spool::DeadLetter letter;
  letter.table = "public.t";
  letter.type = "insert";
  letter.relation = R"({"type":"relation","table":"public.t","columns":[],"key":[],"identity":"default"})";
  letter.change = R"({"type":"insert","table":"public.t","key":{"id":1},"new":{"id":1}})";
  for (uint64_t i = 1; i <= 30; ++i) {
    letter.node = "a";
    letter.lsn = change::Lsn{old + i};
    spool::put_dead(settings.spool.directory, letter);
  }
  letter.node = "a.b";  // no part of a name makes it another's
  spool::put_dead(settings.spool.directory, letter);
  report::Snapshot out;
  out.standbys["a"].node = "a";
  out.standbys["a.b"].node = "a.b";
  out.standbys["b"].node = "b";
  look_at_state(settings, out);
  CHECK(out.unreadable.empty());
  CHECK(out.standbys["a"].quarantined == old + 30);
  CHECK(out.standbys["a.b"].quarantined == 1);
  CHECK(out.standbys["b"].quarantined == 0);
  CHECK(spool::list_dead(settings.spool.directory, "a").back() ==
        spool::dead_letter_path(settings.spool.directory, change::Lsn{old + 30}, 0, "a"));
}
