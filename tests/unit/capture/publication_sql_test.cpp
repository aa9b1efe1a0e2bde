// A publication as statements for others: what is quoted, what stands on one line, what the comment notes.
#include "capture/publication_sql.hpp"

#include <catch2/catch.hpp>

using capture::publication_script;
using capture::Publish;
using Strings = std::vector<std::string>;

namespace {

const base::TableName odd{"shop", "Odd \"Name"};

config::Settings settings(const config::TableFilter& filter = {}) {
  config::Settings out;
  out.synchronization.sync_tables = {odd, {"public", "images"}};
  if (!filter.where.empty() || !filter.columns.empty()) out.filters.tables[odd] = filter;
  return out;
}
config::TableFilter where(const std::string& condition) {
  config::TableFilter filter;
  filter.where = condition;
  return filter;
}

}  // namespace

TEST_CASE("without a condition it is one statement, or two for one that is there") {
  const std::string with = " WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)";
  config::TableFilter columns;
  columns.columns = {"id", "A"};
  CHECK(publication_script(settings(columns), "p", Publish::make) ==
        Strings{R"(CREATE PUBLICATION "p" FOR TABLE ONLY "shop"."Odd ""Name" ("id", "A"), ONLY "public"."images")" +
                with});
  const std::string alter = R"(ALTER PUBLICATION "p" SET TABLE ONLY "shop"."Odd ""Name", ONLY "public"."images")";
  CHECK(publication_script(settings(), "p", Publish::options_and_tables) ==
        Strings{R"(ALTER PUBLICATION "p" SET)" + with.substr(5), alter});
  CHECK(publication_script(settings(), "p", Publish::tables) == Strings{alter});
}

TEST_CASE("a condition goes under our search_path, with a comment that notes it as it was asked") {
  const Strings script = publication_script(settings(where("a <> 'it''s'")), "p", Publish::make);
  REQUIRE(script.size() == 5);
  CHECK(script[0] == "BEGIN");
  CHECK(script[1] == "SET LOCAL search_path = ''");
  CHECK(script[2].find(R"("Odd ""Name" WHERE (a <> 'it''s'), ONLY)") != std::string::npos);
  // Quoted twice: once in the note, once more in the text of DO.
  CHECK(script[3].find(R"(''"shop"."Odd ""Name" WHERE (a <> ''''it''''''''s'''') is '')") != std::string::npos);
  CHECK(script[4] == "COMMIT");
  for (const std::string& statement : script) CHECK(statement.find('\n') == std::string::npos);
}

TEST_CASE("a comment in a condition does not take what follows") {
  const Strings script = publication_script(settings(where("a -- why")), "p", Publish::make);
  CHECK(script[2].find("WHERE (a -- why\n), ONLY") != std::string::npos);
}
