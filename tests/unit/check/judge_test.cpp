// The judgements, from facts alone: each kind of trouble is told with its severity, and what is in order is not.
#include <catch2/catch.hpp>
#include <string>

#include "base/clock.hpp"
#include "check/link.hpp"
#include "check/local.hpp"
#include "check/server.hpp"
#include "check/side.hpp"

using check::Findings;
using check::Severity;

namespace {

check::ServerFacts sound() {
  check::ServerFacts facts;
  facts.version = 150020;
  facts.encoding = "UTF8";
  facts.collate = facts.ctype = "C.UTF-8";
  facts.transport.sslmode = "prefer";
  return facts;
}

config::Node node(const char* name, config::Role role) {
  config::Node out;
  out.name = name;
  out.role = role;
  return out;
}
const config::Node primary = node("a", config::Role::primary);
const config::Node standby = node("b", config::Role::secondary);

check::LinkFacts linked() {
  check::LinkFacts facts;
  facts.wal_level = "logical";
  facts.slots = 1;
  facts.max_slots = 10;
  facts.senders = 1;
  facts.max_senders = 10;
  facts.slot.exists = facts.slot.active = true;
  facts.slot.wal_status = "reserved";
  return facts;
}

struct One {  // exactly one finding, or none
  bool found = false;
  check::Finding finding;
  explicit One(const Findings& findings) : found(!findings.sorted().empty()) {
    REQUIRE(findings.sorted().size() <= 1);
    if (found) finding = findings.sorted()[0];
  }
  bool says(const char* words) const {
    return finding.what.find(words) != std::string::npos || finding.mend.find(words) != std::string::npos;
  }
};

One of_server(const check::ServerFacts& facts, const config::Node& where) {
  Findings findings;
  judge_server(facts, where, findings);
  return One(findings);
}
One of_both(const check::ServerFacts& ours, const check::ServerFacts& theirs) {
  Findings findings;
  judge_both(ours, primary, theirs, standby, findings);
  return One(findings);
}
One of_link(const check::LinkFacts& facts, bool founded = true) {
  Findings findings;
  judge_link(facts, "a", "pgtandem_b", founded, findings);
  return One(findings);
}
One of_room(uint64_t total, uint64_t free, uint64_t used, uint64_t max) {
  Findings findings;
  check::judge_room({total, free, used}, max, "/spool", findings);
  return One(findings);
}

}  // namespace

TEST_CASE("a sound server, link and disk give no finding") {
  check::ServerFacts here = sound();
  here.identity = "2";
  CHECK_FALSE(of_server(sound(), primary).found);
  CHECK_FALSE(of_both(sound(), here).found);
  CHECK_FALSE(of_link(linked()).found);
  CHECK_FALSE(of_room(100ULL << 30, 50ULL << 30, 0, 10ULL << 30).found);
}

TEST_CASE("TLS is asked for where bytes leave the machine, and only there") {
  check::ServerFacts facts = sound();
  facts.transport = {false, true, "192.0.2.7", "prefer"};
  CHECK(of_server(facts, primary).finding.severity == Severity::warning);
  CHECK(of_server(facts, primary).says("192.0.2.7 unencrypted"));
  facts.transport.encrypted = true;
  CHECK(of_server(facts, primary).finding.severity == Severity::note);
  CHECK(of_server(facts, primary).says("sslmode=verify-full"));
  facts.transport.sslmode = "verify-ca";
  CHECK_FALSE(of_server(facts, primary).found);
  facts.transport = {false, false, "127.0.0.1", "disable"};
  CHECK_FALSE(of_server(facts, primary).found);
  for (const char* own : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) CHECK(pg::is_loopback(own));
  for (const char* other : {"12.7.0.0", "10.0.0.1", "::2", ""}) CHECK_FALSE(pg::is_loopback(other));
}

TEST_CASE("a server in recovery is told apart by its role") {
  check::ServerFacts facts = sound();
  facts.in_recovery = true;
  CHECK(of_server(facts, primary).says("nothing is committed here"));
  CHECK(of_server(facts, standby).says("nothing can be written here"));
  CHECK(of_server(facts, standby).finding.severity == Severity::error);
}

TEST_CASE("a clock counts as wrong only beyond what the question's own time explains") {
  check::ServerFacts facts = sound();
  facts.clock_ahead = 2.5;
  facts.clock_within = 0.01;
  CHECK(of_server(facts, standby).says("2.5 s ahead of this machine's"));
  facts.clock_within = 0.6;
  CHECK_FALSE(of_server(facts, standby).found);
  facts.clock_ahead = -600;
  CHECK(of_server(facts, standby).says("600.0 s behind this machine's"));
  check::ServerFacts other = sound();
  other.identity = "2";
  other.clock_ahead = 1.9;
  check::ServerFacts ours = sound();
  ours.clock_ahead = -1.9;  // each by itself is in order
  CHECK_FALSE(of_server(other, standby).found);
  CHECK(of_both(ours, other).says("3.8 s ahead of that of a"));
}

TEST_CASE("encodings, versions and one database given twice") {
  check::ServerFacts facts = sound();
  facts.encoding = "SQL_ASCII";
  CHECK(of_server(facts, primary).says("SQL_ASCII"));
  facts = sound();
  facts.version = 120004;
  CHECK(of_server(facts, primary).says("13 or later"));
  facts = sound();
  CHECK(of_both(sound(), facts).says("the same database"));
  facts.identity = "2";
  facts.encoding = "LATIN1";
  CHECK(of_both(sound(), facts).says("go to quarantine"));
  facts = sound();
  facts.identity = "2";
  facts.collate = "de_DE.UTF-8";
  CHECK(of_both(sound(), facts).finding.severity == Severity::note);
}

TEST_CASE("wal_level, slots and senders") {
  check::LinkFacts facts = linked();
  facts.wal_level = "replica";
  CHECK(of_link(facts).says("ALTER SYSTEM SET wal_level = logical"));
  facts = linked();
  facts.slots = facts.max_slots;
  CHECK(of_link(facts).finding.severity == Severity::warning);
  CHECK(of_link(facts).says("max_replication_slots = 14"));
  facts.idle_slot = "of o'neil";
  CHECK(of_link(facts).says("SELECT pg_drop_replication_slot('of o''neil')"));
  facts.slot.exists = facts.slot.active = false;
  CHECK(of_link(facts).finding.severity == Severity::error);
  facts = linked();
  facts.senders = 10;
  CHECK(of_link(facts).finding.severity == Severity::warning);
  facts.slot.active = false;
  CHECK(of_link(facts).finding.severity == Severity::error);
  facts.senders = 9;
  CHECK(of_link(facts).finding.severity == Severity::warning);
  facts.senders = 8;
  CHECK_FALSE(of_link(facts).found);
}

TEST_CASE("a slot that runs out of room, and one that nothing bounds") {
  check::LinkFacts facts = linked();
  facts.slot.wal_status = "unreserved";
  CHECK(of_link(facts).finding.severity == Severity::error);
  facts = linked();
  facts.slot.safe_wal_size = int64_t{100} << 20;
  CHECK(of_link(facts).says("another 100.0 MiB of WAL"));
  facts.slot.safe_wal_size = int64_t{100} << 30;
  CHECK_FALSE(of_link(facts).found);
  facts.slot.safe_wal_size.reset();
  facts.slot.retained = int64_t{5} << 30;
  CHECK(of_link(facts).says("keep 5.0 GiB of WAL"));
  facts.slot.active = false;
  CHECK(of_link(facts).says("start capture"));
  facts = linked();
  facts.slot.exists = false;
  CHECK(of_link(facts, false).says("pgtandem sync-full --init"));
  CHECK_FALSE(of_link(facts, true).found);  // capture::check() tells of a slot that is gone
}

TEST_CASE("room on a disk") {
  CHECK(of_room(100ULL << 30, 4ULL << 30, 0, 0).says("almost full"));
  CHECK(of_room(1ULL << 30, 100ULL << 20, 0, 0).says("almost full"));
  CHECK(of_room(100ULL << 30, 4ULL << 30, 0, 0).finding.severity == Severity::warning);
  CHECK(of_room(100ULL << 30, 1ULL << 30, 0, 0).finding.severity == Severity::error);
  const One one = of_room(100ULL << 30, 20ULL << 30, 1ULL << 30, 30ULL << 30);
  CHECK(one.finding.severity == Severity::note);
  CHECK(one.says("has room for 21.0 GiB"));
  CHECK_FALSE(of_room(100ULL << 30, 20ULL << 30, 1ULL << 30, 21ULL << 30).found);
}

TEST_CASE("where the time is over no server is asked any more, and that is told once") {
  Findings findings;
  check::Side side(standby, base::monotonic_seconds() - 1, findings);
  bool looked = false;
  for (int i = 0; i < 3; ++i) CHECK_FALSE(side.look("table", [&](pg::Session&) { looked = true; }));
  CHECK_FALSE(looked);
  CHECK(One(findings).says("it is slow: not everything could be looked at in time"));
  CHECK_FALSE(side.unreachable());
}
