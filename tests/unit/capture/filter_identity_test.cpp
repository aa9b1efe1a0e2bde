// Which replica identity carries which filter; the server's rules (check_identity reads its catalog) and ours.
#include <catch2/catch.hpp>

#include "capture/filter_identity.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;

namespace {

capture::TableIdentity table(char identity, bool where_in_identity, bool toastable) {
  const bool full = identity == 'f';
  return {"\"s\".\"t\"",
          identity,
          {{"id", true, false, false},
           {"ready", full || where_in_identity, true, false},
           {"body", full, false, toastable}}};
}

}  // namespace

TEST_CASE("a condition needs its columns in the identity, and rows that enter whole") {
  const config::TableFilter filter{"ready", {}};
  CHECK(capture::identity_misfit(table('f', true, true), filter).empty());
  CHECK(capture::identity_misfit(table('i', true, false), filter).empty());
  CHECK(capture::identity_misfit(table('n', false, true), filter).empty());
  CHECK_THAT(
      capture::identity_misfit(table('d', false, false), filter),
      Equals("where uses \"ready\", which the replica identity does not hold: updates on the primary would fail; "
             "ALTER TABLE \"s\".\"t\" REPLICA IDENTITY FULL, or ALTER TABLE \"s\".\"t\" REPLICA IDENTITY USING "
             "INDEX a unique index on (\"id\", \"ready\")"));
  // an index would not do where a large value may stay behind
  CHECK_THAT(capture::identity_misfit(table('d', false, true), filter), !Contains("USING INDEX"));
  CHECK_THAT(capture::identity_misfit(table('i', true, true), filter),
             Contains("large values of \"body\"; ALTER TABLE \"s\".\"t\" REPLICA IDENTITY FULL"));
}

TEST_CASE("a list of columns needs the identity's, and no FULL") {
  CHECK(capture::identity_misfit(table('d', false, true), {"", {"id", "body"}}).empty());
  CHECK_THAT(capture::identity_misfit(table('d', false, true), {"", {"body"}}), Contains("columns lacks \"id\""));
  CHECK_THAT(capture::identity_misfit(table('f', true, true), {"", {"id", "ready", "body"}}),
             Contains("remove columns, or ALTER TABLE \"s\".\"t\" REPLICA IDENTITY DEFAULT"));
}

TEST_CASE("a condition and a list of columns go together where nothing that is sent may stay behind") {
  CHECK(capture::identity_misfit(table('i', true, true), {"ready", {"id", "ready"}}).empty());
  CHECK_THAT(capture::identity_misfit(table('i', true, true), {"ready", {"id", "ready", "body"}}),
             Contains("remove columns and ALTER TABLE \"s\".\"t\" REPLICA IDENTITY FULL"));
}
