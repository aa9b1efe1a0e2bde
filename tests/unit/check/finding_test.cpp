// Findings: each once, errors first, and what mends it apart from what is wrong.
#include "check/finding.hpp"

#include <catch2/catch.hpp>
#include <string>

using check::Findings;
using check::Severity;

TEST_CASE("an error's message is taken apart: what is wrong, and what to do") {
  Findings findings;
  findings.add(Severity::error, "table", "primary_node public.t",
               "primary_node: table public.t has no primary key; add one, or ALTER TABLE; or leave it");
  const check::Finding one = findings.sorted().at(0);
  CHECK(one.what == "has no primary key");
  CHECK(one.mend == "add one, or ALTER TABLE; or leave it");
  findings.add(Severity::error, "connection", "b", "b: cannot connect");
  CHECK(findings.sorted().at(1).mend.empty());
}

TEST_CASE("what was found once is not told twice, and errors come first") {
  Findings findings;
  findings.add({Severity::note, "server", "a", "sorts otherwise", ""});
  findings.add({Severity::warning, "disk", "a", "full", "make room"});
  findings.add({Severity::error, "link", "a", "gone", "make it"});
  findings.add({Severity::error, "link", "a", "gone", "make it again"});
  findings.add({Severity::error, "link", "b", "gone", "make it"});
  const auto sorted = findings.sorted();
  REQUIRE(sorted.size() == 4);
  CHECK(sorted[0].what == "gone");
  CHECK(sorted[1].place == "b");
  CHECK(sorted[3].severity == Severity::note);
  CHECK(text_of(findings) ==
        "error    a: gone [link]\n         mend: make it\n"
        "error    b: gone [link]\n         mend: make it\n"
        "warning  a: full [disk]\n         mend: make room\n"
        "note     a: sorts otherwise [server]\n"
        "2 errors, 1 warning, 1 note\n");
}

TEST_CASE("a right that another finding mends already is not told again") {
  Findings findings;
  findings.add(Severity::error, "schema", "b", "b: table public.t has row-level security; ALTER ROLE \"r\" BYPASSRLS");
  findings.add_right("b", "ALTER ROLE \"r\" BYPASSRLS;");
  CHECK(findings.count(Severity::error) == 1);
  findings.add_right("a", "ALTER ROLE \"r\" BYPASSRLS;");
  findings.add_right("a", "GRANT SELECT ON TABLE \"t\" TO \"r\";");
  CHECK(findings.count(Severity::error) == 3);
  CHECK(findings.sorted().at(2).mend == "GRANT SELECT ON TABLE \"t\" TO \"r\";");
}

TEST_CASE("findings as JSON hold whatever bytes were met, on one line") {
  Findings findings;
  findings.add({Severity::warning, "table", "a \"Odd\nName\"", "line\nbreak and \xe9", ""});
  const std::string json = json_of(findings);
  CHECK(json.find('\n') == json.size() - 1);
  CHECK(json.find(R"("errors":0,"warnings":1,"notes":0)") != std::string::npos);
  CHECK(json.find(R"("mend":null)") != std::string::npos);
  CHECK(text_of(Findings()) == "nothing to mend; 0 notes\n");
}
