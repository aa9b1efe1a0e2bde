#include "http/board.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

TEST_CASE("a look that has not come to an end for too long is not shown as the present") {
  std::string form = (std::filesystem::temp_directory_path() / "pgtandem-test-XXXXXX").string();
  REQUIRE(::mkdtemp(form.data()) != nullptr);
  config::Settings settings;
  settings.local_node = "backup_node";
  for (const char* const name : {"primary_node", "backup_node"}) {
    config::Node& node = settings.nodes[name];
    node.name = name;
    node.database_url = "postgresql://127.0.0.1:1/none";  // nobody listens there: looks end at once
  }
  settings.nodes["primary_node"].role = config::Role::primary;
  settings.state_directory = std::filesystem::path(form) / "state";
  settings.spool.directory = std::filesystem::path(form) / "spool";
  {
    http::Board board(settings);
    for (const report::Finding& finding : board.now()->verdict.findings) CHECK(finding.code != "look_stale");
  }
  {
    http::Board board(settings, -1);
    const auto stale = board.now();
    REQUIRE_FALSE(stale->verdict.findings.empty());
    const report::Finding& finding = stale->verdict.findings.front();
    CHECK(finding.code == "look_stale");
    CHECK(finding.since == stale->time);
    CHECK(finding.what == stale->verdict.line);
    CHECK_FALSE(finding.mend.empty());
    CHECK(stale->verdict.level >= report::Level::critical);
    CHECK(board.now()->verdict.findings.size() == stale->verdict.findings.size());
  }
  std::filesystem::remove_all(form);
}
