// The receipt of verify: what one says is read back, and what a run did not reach keeps its own position and time.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "state/marks.hpp"
#include "state/receipt.hpp"

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = fs::temp_directory_path() / "pgtandem-receipt.XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
};

state::TableProof proof(bool equal, const std::string& lsn, const std::string& time) {
  state::TableProof out;
  out.equal = equal;
  out.why = equal ? "" : "3 changed";
  out.lsn = lsn;
  out.time = time;
  out.digest = "native-1";
  out.columns = {"id", "v"};
  out.primary = {7, "000102030405060708090a0b0c0d0e0f"};
  out.standby = {equal ? 7U : 8U, "100102030405060708090a0b0c0d0e0f"};
  return out;
}

}  // namespace

TEST_CASE("a receipt is read back as it was written, and one that is not there is empty") {
  const Folder folder;
  CHECK(state::read_receipt(folder.path / "none").empty());
  state::Receipt receipt;
  state::NodeReceipt& node = receipt["backup node"];
  node.primary_system = "7341";
  node.standby_system = "7342";
  node.run = {"2026-01-01T00:00:00.000000Z", "", "0/1A", true, "unfinished", "a \xff byte", {"public.images"}};
  state::add_proof(node, "public.images", proof(false, "0/1A", "2026-01-01T00:00:01.000000Z"));
  state::write_receipt(folder.path / "state", receipt);
  const state::Receipt back = state::read_receipt(folder.path / "state");
  REQUIRE(back.size() == 1);
  const state::NodeReceipt& read = back.at("backup node");
  CHECK(read.primary_system == "7341");
  CHECK(read.standby_system == "7342");
  CHECK(read.run.started == node.run.started);
  CHECK(read.run.ended.empty());
  CHECK(read.run.lsn == "0/1A");
  CHECK(read.run.exact);
  CHECK(read.run.result == "unfinished");
  CHECK(read.run.why == "a \xEF\xBF\xBD byte");
  CHECK(read.run.tables == std::vector<std::string>{"public.images"});
  const state::TableProof& table = read.tables.at("public.images");
  CHECK_FALSE(table.equal);
  CHECK(table.why == "3 changed");
  CHECK(table.lsn == "0/1A");
  CHECK(table.time == "2026-01-01T00:00:01.000000Z");
  CHECK(table.digest == "native-1");
  CHECK(table.columns == std::vector<std::string>{"id", "v"});
  CHECK(table.primary.rows == 7);
  CHECK(table.standby.rows == 8);
  CHECK(table.primary.digest == "000102030405060708090a0b0c0d0e0f");
  CHECK(table.standby.digest == "100102030405060708090a0b0c0d0e0f");
  CHECK(table.equal_lsn.empty());
}

TEST_CASE("what a table was scrubbed by is read back, with when its rows were proven, and may be missing") {
  state::Receipt receipt;
  state::TableProof table = proof(true, "0/3", "t3");
  table.scrub = state::ScrubProof{"0/3", "t3", "7341/slot/0/1", "abc", "0/1", "t1", 7, 5007, {}};
  table.scrub->pieces = {{std::nullopt, "0/2", "t2", 5000}, {-40, "0/1", "t1", 4000}, {INT64_MAX, "0/3", "t3", 0}};
  state::add_proof(receipt["backup"], "a", table);
  const std::string text = state::receipt_text(receipt);
  const state::TableProof read = state::parse_receipt(text, "x").at("backup").tables.at("a");
  REQUIRE(read.scrub);
  CHECK(read.scrub->lsn == "0/3");
  CHECK(read.scrub->time == "t3");
  CHECK(read.scrub->source == "7341/slot/0/1");
  CHECK(read.scrub->shape == "abc");
  CHECK(read.scrub->whole_lsn == "0/1");
  CHECK(read.scrub->whole_time == "t1");
  CHECK(read.scrub->touched == 7);
  CHECK(read.scrub->read == 5007);
  REQUIRE(read.scrub->pieces.size() == 3);
  CHECK_FALSE(read.scrub->pieces[0].from);
  CHECK(read.scrub->pieces[1].from == -40);
  CHECK(read.scrub->pieces[2].from == INT64_MAX);
  CHECK(read.scrub->pieces[0].rows == 5000);
  CHECK(read.scrub->oldest().lsn == "0/1");
  CHECK_THAT(text, Catch::Contains(R"("proven_since": {)"));
  // Once it differs nothing of that counts any more.
  state::add_proof(receipt["backup"], "a", proof(false, "0/4", "t4"));
  CHECK_FALSE(state::parse_receipt(state::receipt_text(receipt), "x").at("backup").tables.at("a").scrub);
}

TEST_CASE("a run that was never begun counts as unfinished, not as equal") {
  CHECK(state::VerifyRun().result == "unfinished");
  CHECK_FALSE(state::TableProof().equal);
}

TEST_CASE("a new proof takes the old one's place and keeps when the table last was equal") {
  state::NodeReceipt node;
  state::add_proof(node, "a", proof(true, "0/1", "t1"));
  state::add_proof(node, "b", proof(true, "0/1", "t1"));
  state::add_proof(node, "a", proof(false, "0/2", "t2"));
  CHECK_FALSE(node.tables.at("a").equal);
  CHECK(node.tables.at("a").lsn == "0/2");
  CHECK(node.tables.at("a").equal_lsn == "0/1");
  CHECK(node.tables.at("a").equal_time == "t1");
  CHECK(node.tables.at("b").lsn == "0/1");
  state::add_proof(node, "a", proof(false, "0/3", "t3"));
  CHECK(node.tables.at("a").equal_lsn == "0/1");
  state::add_proof(node, "a", proof(true, "0/4", "t4"));
  CHECK(node.tables.at("a").equal_lsn == "0/4");
}

TEST_CASE("proofs of other servers, and of tables that are not synced, go") {
  state::NodeReceipt node;
  state::go_on_for(node, "1", "2", {"a", "b"});
  state::add_proof(node, "a", proof(true, "0/1", "t1"));
  state::add_proof(node, "b", proof(true, "0/1", "t1"));
  state::go_on_for(node, "1", "2", {"b"});
  CHECK(node.tables.size() == 1);
  CHECK(node.tables.contains("b"));
  SECTION("another primary") { state::go_on_for(node, "3", "2", {"b"}); }
  SECTION("another standby") { state::go_on_for(node, "1", "3", {"b"}); }
  CHECK(node.tables.empty());
}

TEST_CASE("a damaged receipt, and one of another version, is an error that names the file") {
  const Folder folder;
  const auto refused = [&](const std::string& text) {
    std::ofstream(state::receipt_path(folder.path)) << text;
    try {
      state::read_receipt(folder.path);
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::Exit::data);
      return std::string(error.what());
    }
    return std::string("not refused");
  };
  CHECK_THAT(refused("{"), Catch::Contains("verify.json is damaged"));
  CHECK_THAT(refused(R"({"version":1,"nodes":{"a":{}}})"), Catch::Contains("verify.json is damaged"));
  CHECK_THAT(refused(R"({"version":2,"nodes":{}})"), Catch::Contains("another version"));
}

TEST_CASE("a mark goes with the proof of its table, unless the table was marked again since") {
  const Folder folder;
  constexpr int64_t second = 1'000'000;
  const int64_t now = base::unix_microseconds();
  CHECK_FALSE(state::clear_mark(folder.path, "n", "a", now));
  state::mark_table(folder.path, "n", "a", "first", "");
  state::mark_table(folder.path, "n", "b", "other", "");
  CHECK_FALSE(state::clear_mark(folder.path, "n", "a", now - second));
  CHECK(state::marked_tables(folder.path).size() == 2);
  CHECK(state::clear_mark(folder.path, "n", "a", base::unix_microseconds() + second));
  REQUIRE(state::marked_tables(folder.path).size() == 1);
  CHECK(state::marked_tables(folder.path)[0].table == "b");
  // An old mark, set again: its file's time tells.
  const fs::path file = fs::directory_iterator(folder.path / "marks")->path();
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  state::mark_table(folder.path, "n", "b", "again", "");
  CHECK_FALSE(state::clear_mark(folder.path, "n", "b", now - second));
  CHECK(state::marked_tables(folder.path)[0].reason == "other");
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  CHECK(state::clear_mark(folder.path, "n", "b", now - second));
  CHECK(state::marked_tables(folder.path).empty());
  CHECK(fs::is_empty(folder.path / "marks"));
}
