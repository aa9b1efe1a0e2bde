// What of two tables is compared, and what is refused.
#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "compare/table_pair.hpp"

using compare::Form;
using compare::ShapeColumn;
using compare::TableShape;

namespace {

ShapeColumn column(const std::string& name, const std::string& type, const std::string& declared = "") {
  ShapeColumn out;
  out.name = name;
  out.type = out.base = type;
  if (type == "character") out.base = "bpchar";
  out.declared = declared.empty() ? type : declared;
  return out;
}

TableShape shape(std::vector<ShapeColumn> columns) {
  TableShape out;
  out.node = "a node";
  out.table = {"public", "t"};
  out.exists = out.readable = true;
  out.columns = std::move(columns);
  if (!out.columns.empty()) out.keys = {{{out.columns[0].name}, true, true}};
  return out;
}

// How two columns `v` are compared: the expression and its form; "" where they are refused.
std::string compared(const ShapeColumn& ours, const ShapeColumn& theirs) {
  const auto pair =
      compare::pair_tables(shape({column("id", "integer"), ours}), shape({column("id", "integer"), theirs}), nullptr);
  CHECK(pair.mixed[1] == (pair.notes.size() == 1));
  return pair.columns[1].sql + " " + std::to_string(static_cast<int>(pair.columns[1].form));
}
std::string as(const std::string& sql, Form form) { return sql + " " + std::to_string(static_cast<int>(form)); }

base::Exit refusal(const TableShape& primary, const TableShape& standby, const config::TableFilter* filter = nullptr) {
  try {
    compare::pair_tables(primary, standby, filter);
  } catch (const base::Error& error) {
    return error.kind();
  }
  return base::Exit::done;
}

}  // namespace

TEST_CASE("types that differ harmlessly are compared in a form that both have") {
  CHECK(compared(column("v", "text"), column("v", "text")) == as("\"v\"", Form::text));
  CHECK(compared(column("v", "integer"), column("v", "bigint")) == as("\"v\"::bigint", Form::int8));
  CHECK(compared(column("v", "smallint"), column("v", "numeric")) == as("trim_scale(\"v\"::numeric)", Form::as_text));
  CHECK(compared(column("v", "character varying", "character varying(5)"), column("v", "text")) ==
        as("\"v\"::text", Form::text));
  CHECK(compared(column("v", "character varying", "character varying(5)"),
                 column("v", "character varying", "character varying(9)")) == as("\"v\"", Form::text));
  CHECK(compared(column("v", "character", "character(5)"), column("v", "character", "character(6)")) ==
        as("rtrim(\"v\"::text, ' ')", Form::text));
  CHECK(compared(column("v", "character", "character(5)"), column("v", "character", "character(5)")) ==
        as("\"v\"", Form::as_text));
  CHECK(compared(column("v", "numeric", "numeric(10,1)"), column("v", "numeric", "numeric(10,2)")) ==
        as("trim_scale(\"v\")", Form::as_text));
  CHECK(compared(column("v", "numeric"), column("v", "numeric")) == as("\"v\"", Form::as_text));
  CHECK(compared(column("v", "real"), column("v", "double precision")) == as("\"v\"", Form::as_text));
}

TEST_CASE("types that do not compare are refused") {
  const auto refused = [](const char* ours, const char* theirs) {
    return refusal(shape({column("id", "integer"), column("v", ours)}),
                   shape({column("id", "integer"), column("v", theirs)}));
  };
  CHECK(refused("json", "jsonb") == base::Exit::data);
  CHECK(refused("timestamp with time zone", "timestamp without time zone") == base::Exit::data);
  CHECK(refused("text", "integer") == base::Exit::data);
  CHECK(refused("uuid", "text") == base::Exit::data);
}

TEST_CASE("the key is the identity, the primary key, another that is never null, or none") {
  TableShape primary = shape({column("a", "integer"), column("b", "uuid")});
  TableShape standby = primary;
  CHECK(compare::pair_tables(primary, standby, nullptr).integer_key);
  primary.keys = {{{"b", "a"}, false, true}, {{"a"}, true}};
  standby.keys = {{{"a", "b"}}};
  const auto by_index = compare::pair_tables(primary, standby, nullptr);
  CHECK(by_index.relation.identity == change::Identity::index);
  CHECK(by_index.relation.key == std::vector<uint16_t>{0, 1});
  CHECK_FALSE(by_index.integer_key);
  primary.keys = {{{"a"}, false, false, true}};
  const auto none = compare::pair_tables(primary, standby, nullptr);
  CHECK(none.key.empty());
  CHECK(none.relation.identity == change::Identity::full);
  CHECK(none.relation.key.size() == 2);

  primary.keys = {{{"a"}, true}};
  CHECK(refusal(primary, standby) == base::Exit::data);  // there it is another one
  standby.keys = {{{"a"}, false, false, true}};
  CHECK(refusal(primary, standby) == base::Exit::data);  // there it may be null
  standby.keys = {{{"a"}, true, false, false, false}};
  CHECK(refusal(primary, standby) == base::Exit::data);  // there other keys are equal
}

TEST_CASE("columns are matched by name; what is generated or filtered stays out") {
  TableShape primary = shape({column("id", "integer"), column("v", "text"), column("made", "text")});
  primary.columns[2].generated = true;
  TableShape standby = shape({column("own", "text"), column("v", "text"), column("id", "integer")});
  standby.keys = primary.keys;
  const auto pair = compare::pair_tables(primary, standby, nullptr);
  REQUIRE(pair.relation.columns.size() == 2);
  CHECK(pair.relation.columns[1].name == "v");
  CHECK(pair.notes.empty());
  CHECK(pair.primary_from == "ONLY \"public\".\"t\"");

  const config::TableFilter filter{"v <> '' -- a comment", {"id"}};
  const auto filtered = compare::pair_tables(primary, standby, &filter);
  CHECK(filtered.relation.columns.size() == 1);
  CHECK(filtered.primary_where == "(v <> '' -- a comment\n)");
  const config::TableFilter misspelt{"", {"idd"}};
  CHECK(refusal(primary, standby, &misspelt) == base::Exit::config);

  standby.columns.erase(standby.columns.begin() + 1);
  CHECK(refusal(primary, standby) == base::Exit::data);
}

TEST_CASE("a table that cannot be read is refused, whichever side it is on") {
  const TableShape good = shape({column("id", "integer")});
  TableShape bad = good;
  bad.exists = false;
  CHECK(refusal(bad, good) == base::Exit::config);
  CHECK(refusal(good, bad) == base::Exit::data);
  bad = good;
  bad.kind = 'v';
  CHECK(refusal(good, bad) == base::Exit::data);
  bad = good;
  bad.readable = false;
  CHECK(refusal(bad, good) == base::Exit::no_right);
  bad = good;
  bad.row_security = true;
  CHECK(refusal(good, bad) == base::Exit::no_right);
  CHECK(refusal(good, good) == base::Exit::done);
}
