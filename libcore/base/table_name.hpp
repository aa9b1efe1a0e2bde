// A table as SQL names it. Owns the one parser and the one spelling of table names, for the configuration and for the
// change format; the quoting of SQL statements is pg's.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace base {

// Taken apart and unquoted: `images` is {"public", "images"}.
struct TableName {
  std::string schema;
  std::string name;
  auto operator<=>(const TableName&) const = default;

  // `public.images`, `shop."Odd Name"`: parts are quoted where an unquoted part would not read back the same.
  std::string text() const;
};

// Takes apart `images`, `shop.orders`, `"Odd Name"`, `"a.b"."c""d"`: unquoted parts fold to lower case as PostgreSQL
// does with ASCII, no schema means public. False, with the reason in `why`, when the text is no table name.
bool parse_table_name(std::string_view text, TableName& table, std::string& why);

}  // namespace base
