#include "apply/recourse.hpp"

#include <catch2/catch.hpp>

#include "apply/misfit.hpp"
#include "pg/error.hpp"

namespace {

using apply::Failed;
using apply::Recourse;
using apply::recourse_after;
using base::Exit;

const base::Transient lost(Exit::unreachable, "gone");
const apply::Unfit unfit("two rows for one");
const apply::Misfit misfit("no column", {}, {});
const pg::SqlError refused(Exit::data, "check", "23514", "check");
const pg::SqlError no_column(Exit::data, "column", "42703", "column");
const base::Error bug(Exit::bug, "bug");

}  // namespace

TEST_CASE("what heals is tried again, what nothing helps ends the run") {
  CHECK(recourse_after({.failure = lost}) == Recourse::again);
  CHECK(recourse_after({.failure = lost, .in_doubt = true, .went_ahead = true}) == Recourse::again);
  CHECK(recourse_after({.failure = bug, .several = true, .from_spool = true}) == Recourse::none);
}

TEST_CASE("refused rows go in order, then apart, and alone they are the end") {
  for (const base::Error* failure :
       {static_cast<const base::Error*>(&unfit), static_cast<const base::Error*>(&refused)}) {
    CHECK(recourse_after({.failure = *failure}) == Recourse::in_order);
    CHECK(recourse_after({.failure = *failure, .beside = true}) == Recourse::in_order);
    CHECK(recourse_after({.failure = *failure, .in_order = true, .several = true}) == Recourse::apart);
    CHECK(recourse_after({.failure = *failure, .in_order = true}) == Recourse::none);
  }
}

TEST_CASE("a transaction refused alone, at its commit, is searched once, where it is in hand and may be held") {
  const Failed alone{.failure = refused, .in_doubt = true, .in_order = true, .in_hand = true, .from_spool = true};
  CHECK(recourse_after(alone) == Recourse::at_commit);
  const auto without = [&](bool Failed::*what) {
    Failed other = alone;
    other.*what = !(other.*what);
    return recourse_after(other);
  };
  CHECK(without(&Failed::in_doubt) == Recourse::none);  // a statement of it was refused, and named
  CHECK(without(&Failed::in_order) == Recourse::in_order);
  CHECK(without(&Failed::several) == Recourse::apart);
  CHECK(without(&Failed::from_spool) == Recourse::none);
  CHECK(recourse_after({.failure = refused, .in_doubt = true, .in_order = true, .in_hand = true, .leaves_out = true}) ==
        Recourse::at_commit);
  CHECK(without(&Failed::in_hand) == Recourse::none);
  CHECK(without(&Failed::at_commit) == Recourse::none);
}

TEST_CASE("batches in each other's way go one by one") {
  CHECK(recourse_after({.failure = lost, .beside = true}) == Recourse::alone);
  CHECK(recourse_after({.failure = refused, .went_ahead = true}) == Recourse::alone);
}

TEST_CASE("a table's shape is looked at anew where the batch can be read again, by names that are refused but once") {
  CHECK(recourse_after({.failure = misfit, .from_spool = true}) == Recourse::fit_tables);
  CHECK(recourse_after({.failure = misfit, .went_ahead = true, .from_spool = true, .looked_anew = true}) ==
        Recourse::fit_tables);
  CHECK(recourse_after({.failure = misfit, .several = true}) == Recourse::in_order);
  CHECK(recourse_after({.failure = no_column, .from_spool = true}) == Recourse::fit_tables);
  CHECK(recourse_after({.failure = no_column, .from_spool = true, .looked_anew = true}) == Recourse::none);
  CHECK(recourse_after({.failure = no_column}) == Recourse::none);
}
