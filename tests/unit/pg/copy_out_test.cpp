// Rows of COPY's text format taken apart.
#include <catch2/catch.hpp>

#include "pg/copy_out.hpp"

namespace {

std::vector<std::string> taken(std::string row) {
  std::vector<change::Value> values;
  pg::take_copy_row(row.data(), row.data() + row.size(), values);
  std::vector<std::string> out;
  for (const change::Value& value : values)
    out.push_back(value.kind == change::ValueKind::null ? "NULL" : "'" + std::string(value.text()) + "'");
  return out;
}

}  // namespace

TEST_CASE("fields of COPY are unescaped, and NULL is told from its text") {
  using Fields = std::vector<std::string>;
  CHECK(taken("") == Fields{"''"});
  CHECK(taken("a\tb") == Fields{"'a'", "'b'"});
  CHECK(taken("\\N\t\\\\N\t") == Fields{"NULL", "'\\N'", "''"});
  CHECK(taken("a\\tb\\n\\\\\\r\tx") == Fields{"'a\tb\n\\\r'", "'x'"});
  CHECK(taken("\\b\\f\\v\t\xc3\xa4") == Fields{"'\b\f\v'", "'\xc3\xa4'"});
  CHECK(taken("a\\\\") == Fields{"'a\\'"});
}
