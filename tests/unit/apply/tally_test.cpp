#include <catch2/catch.hpp>

#include "apply/tally.hpp"

namespace {

change::Lsn at(uint64_t lsn) {
  change::Lsn out;
  out.value = lsn;
  return out;
}

const apply::Totals batch{2, 10, {{1}}};

}  // namespace

TEST_CASE("what a crash of the standby took back is counted once, when it is done again") {
  apply::Tally tally;
  tally.add(at(10), batch, true);
  tally.add(at(20), batch, false);
  tally.add(at(30), batch, false);
  tally.back_to(at(20));
  CHECK(tally.totals().transactions == 4);
  tally.add(at(30), batch, false);
  CHECK(tally.totals().transactions == 6);
  CHECK(tally.totals().operations == 30);
  CHECK(tally.totals().conflicts.total() == 3);
  tally.back_to(at(10));
  CHECK(tally.totals().operations == 10);
}

TEST_CASE("a durable batch makes all before it stay") {
  apply::Tally tally;
  tally.add(at(10), batch, false);
  tally.add(at(20), batch, true);
  tally.back_to(at(20));
  CHECK(tally.totals().transactions == 4);
}
