// What a terminal would obey does not get through, and a cut leaves whole characters.
#include "base/tame.hpp"

#include <catch2/catch.hpp>

TEST_CASE("control characters of others reach no terminal and make no line") {
  CHECK(base::tame("plain, ümläut, 漢字") == "plain, ümläut, 漢字");
  CHECK(base::tame("a\nb\tc\x1b[2Jd\x7f") == "a?b?c?[2Jd?");
  CHECK(base::tame("\xc2\x9b"
                   "31m") == "?31m");           // CSI in one character
  CHECK(base::tame("\xc2\xa0") == "\xc2\xa0");  // no control character
}

TEST_CASE("a cut leaves whole characters") {
  CHECK(base::tame("äöü", 2) == "äö");
  CHECK(base::tame("äöü", 0) == "äöü");
  CHECK(base::tame("ab", 5) == "ab");
}
