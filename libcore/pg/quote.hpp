// Names and values as SQL and COPY want them. Pure. Every name that reaches a statement goes through here; values never
// become part of a statement but travel by COPY or as parameters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/table_name.hpp"
#include "change/change.hpp"

namespace pg {

std::string quote_identifier(std::string_view name);                   // "Odd ""Name"""
std::string quote_identifiers(const std::vector<std::string>& names);  // "id", "Odd ""Name"""
std::string quote_table(const base::TableName& table);                 // "public"."images"
// A condition in SQL of a user's, as one operand. A line of its own ends one that may have a comment, which would take
// the parenthesis; that it does not close it itself is for a server to say.
std::string quote_condition(std::string_view sql);  // (is_downloaded)
std::string quote_literal(std::string_view text);   // 'it''s'; with standard_conforming_strings, as sessions are pinned

// One field of COPY's text format (manual, COPY, "Text Format"): NULL is \N. An absent value is not a field: bug.
void append_copy_value(std::string& out, const change::Value& value);

}  // namespace pg
