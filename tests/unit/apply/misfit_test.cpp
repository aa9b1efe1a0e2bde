#include "apply/misfit.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "apply/declared_type.hpp"
#include "apply/shape.hpp"

namespace {

using Catch::Matchers::Contains;
using change::Column;
using change::Relation;

Relation shop(std::vector<Column> columns) {
  Relation out;
  out.table = {"public", "shop"};
  out.text = "public.shop";
  out.columns = std::move(columns);
  out.key = {0};
  return out;
}

const Column id{"id", "integer"};
const Column name{"name", "text"};
const Column title{"title", "text"};

// What is refused; empty where it fits.
struct Refused {
  std::string what;
  size_t missing = 0;
  bool may_be_renamed = false;
};
Refused refused(const Relation& is, const std::optional<Relation>& was, std::vector<apply::StandbyColumn> there,
                bool follows = true) {
  try {
    apply::check_shape("standby", is, was, there, follows);
    return {};
  } catch (const apply::Misfit& misfit) {
    return {misfit.what(), misfit.missing().size(), misfit.may_be_renamed()};
  }
}

}  // namespace

TEST_CASE("a shape that the standby has fits, in any order and with columns of its own") {
  CHECK(refused(shop({id, name}), {}, {{"extra", "date"}, {"name", "text"}, {"id", "integer"}}).what.empty());
  CHECK(refused(shop({id, name}), shop({id, name}), {{"name", "varchar"}, {"id", "bigint"}}).what.empty());
}

TEST_CASE("a missing column is named with the statement that adds it as the primary has it") {
  Column price{"price", "numeric"};
  price.definition = "numeric(8,2) NOT NULL";
  price.default_value = "1.50";
  price.missing = "'1.50'";
  const Refused out = refused(shop({id, price}), shop({id}), {{"id", "integer"}});
  CHECK(out.what ==
        "standby: table public.shop has no column \"price\"; ALTER TABLE \"public\".\"shop\" ADD COLUMN \"price\" "
        "numeric(8,2) NOT NULL DEFAULT '1.50'");
  CHECK(out.missing == 1);
  CHECK_FALSE(out.may_be_renamed);
}

TEST_CASE("old rows get what they show on the primary, later ones its default") {
  Column seen{"seen", "timestamp with time zone"};
  seen.default_value = "now()";
  seen.missing = "'2026-01-01 00:00:00+00'";
  Column late{"late", "integer"};
  late.default_value = "9";  // set after the column was added: old rows are NULL
  const std::vector<std::string> made = apply::add_columns(shop({id}), {seen, late});
  REQUIRE(made.size() == 3);
  CHECK(made[0] ==
        "ALTER TABLE \"public\".\"shop\" ADD COLUMN \"seen\" timestamp with time zone DEFAULT '2026-01-01 "
        "00:00:00+00', ADD COLUMN \"late\" integer");
  CHECK(made[1] == "ALTER TABLE \"public\".\"shop\" ALTER COLUMN \"seen\" SET DEFAULT now()");
  CHECK(made[2] == "ALTER TABLE \"public\".\"shop\" ALTER COLUMN \"late\" SET DEFAULT 9");
}

TEST_CASE("a column that may have been renamed is not simply missing") {
  const Refused out =
      refused(shop({id, title}), shop({id, name}), {{"id", "integer"}, {"name", "text"}, {"own", "text"}});
  CHECK(out.may_be_renamed);
  CHECK_THAT(out.what, Contains("RENAME COLUMN \"name\" TO \"title\"") && !Contains("\"own\""));
  // of another type, or not the primary's before: it is new
  CHECK_FALSE(refused(shop({id, title}), shop({id}), {{"id", "integer"}, {"own", "text"}}).may_be_renamed);
  CHECK_FALSE(refused(shop({id, title}), shop({id, name}), {{"id", "integer"}, {"name", "date"}}).may_be_renamed);
}

TEST_CASE("what the primary dropped or gave another type has to follow, unless only common columns are wanted") {
  const std::vector<apply::StandbyColumn> there = {{"id", "integer"}, {"name", "text"}};
  CHECK_THAT(refused(shop({id}), shop({id, name}), there).what, Contains("DROP COLUMN \"name\""));
  CHECK(refused(shop({id}), shop({id, name}), there, false).what.empty());
  CHECK(refused(shop({id}), shop({id}), there).what.empty());  // its own since ever
  const Relation is = shop({id, {"name", "bytea"}});
  CHECK_THAT(refused(is, shop({id, name}), there).what, Contains("ALTER COLUMN \"name\" TYPE bytea"));
  CHECK(refused(is, shop({id, name}), there, false).what.empty());
  CHECK(refused(is, is, there).what.empty());
}

TEST_CASE("a column of the standby's own that needs a value keeps every insert away") {
  CHECK_THAT(refused(shop({id}), {}, {{"id", "integer"}, {"own", "text", false, true}}).what,
             Contains("needs a value"));
}

TEST_CASE("a shape without some columns keeps the others of its key") {
  Relation full = shop({id, name, title});
  full.key = {0, 1, 2};
  const Relation out = apply::without(full, {"name"});
  CHECK(out.columns == std::vector<Column>{id, title});
  CHECK(out.key == std::vector<uint16_t>{0, 1});
}

TEST_CASE("what a type holds of another's values") {
  using apply::Holds;
  struct Case {
    const char* there;
    const char* primary;
    Holds fit;
  };
  for (const Case& c : {Case{"numeric(10,4)", "numeric(8,2)", Holds::all},
                        {"numeric(8,2)", "numeric(10,4)", Holds::rounded},
                        {"numeric(8,4)", "numeric(8,2)", Holds::not_all},
                        {"numeric", "numeric(10,4)", Holds::all},
                        {"numeric(8,2)", "numeric", Holds::rounded},
                        {"numeric(8,2)[]", "numeric(8,3)[]", Holds::rounded},
                        {"timestamp(0) without time zone", "timestamp without time zone", Holds::rounded},
                        {"timestamp without time zone", "timestamp(0) without time zone", Holds::all},
                        {"date", "timestamp without time zone", Holds::rounded},
                        {"character varying(10)", "character varying(20)", Holds::not_all},
                        {"character varying(20)", "character varying(10)", Holds::all},
                        {"character varying", "character varying(10)", Holds::all},
                        {"character varying(10)", "text", Holds::not_all},
                        {"text", "character varying(10)", Holds::all},
                        {"bigint", "integer", Holds::all},
                        {"integer", "bigint", Holds::not_all},
                        {"integer", "numeric(9,0)", Holds::all},
                        {"integer", "numeric(9,1)", Holds::rounded},
                        {"numeric(10,0)", "integer", Holds::all},
                        {"real", "double precision", Holds::rounded},
                        {"double precision", "real", Holds::all},
                        {"text", "integer", Holds::all},
                        {"public.geometry(Point,4326)", "public.geometry", Holds::all}}) {
    CAPTURE(c.there, c.primary);
    CHECK(apply::holds(c.there, c.primary) == c.fit);
  }
  CHECK(apply::declared_in("character varying(20) COLLATE pg_catalog.\"C\" NOT NULL") == "character varying(20)");
}

TEST_CASE("a column that rounds is never taken, one that refuses rows only as it was before") {
  const auto with = [](const std::string& definition) {
    Column price{"price", "numeric"};
    price.definition = definition;
    return shop({id, price});
  };
  const std::vector<apply::StandbyColumn> there = {{"id", "integer"},
                                                   {"price", "numeric", false, false, "numeric(8,2)"}};
  CHECK(
      refused(with("numeric(10,4)"), {}, there).what ==
      "standby: table public.shop has the column price as numeric(8,2), which is numeric(10,4) on the primary: not all "
      "of its values could be kept; ALTER TABLE \"public\".\"shop\" ALTER COLUMN \"price\" TYPE numeric(10,4)");
  CHECK_FALSE(refused(with("numeric(10,4)"), with("numeric(10,4)"), there).what.empty());
  CHECK_FALSE(refused(with("numeric(10,2)"), with("numeric(8,2)"), there).what.empty());
  CHECK(refused(with("numeric(10,2)"), with("numeric(10,2)"), there).what.empty());
  CHECK(refused(with("numeric(7,1)"), {}, there).what.empty());
  CHECK_FALSE(refused(with("numeric(8,1)"), {}, there).what.empty());  // seven digits before the point
  CHECK(refused(with("numeric(10,4)"), {}, there, false).what.empty());
  CHECK(refused(shop({id, {"price", "numeric"}}), {}, there).what.empty());  // a stream that does not tell
}
