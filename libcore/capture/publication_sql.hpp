// A link's publication as SQL: the statements that make it what the settings ask for, for us or for whoever has the
// rights to it. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "config/settings.hpp"

namespace capture {

// Partitions are published as their root, so that the standby may be partitioned otherwise.
constexpr const char* publish_all = "(publish = 'insert, update, delete, truncate', publish_via_partition_root = true)";

// One member of FOR TABLE. ONLY: a table that inherits from it is synced when it is named itself.
std::string member_sql(const config::Settings& settings, const base::TableName& table);
std::string member_list(const config::Settings& settings);

// What is to be done: one that does not publish all kinds of changes needs its options, too, and any other does not get
// them, for then it would look altered; see made_again.hpp.
enum class Publish { make, options_and_tables, tables };
// Each by the protocol that takes one statement only, whatever a condition holds.
std::vector<std::string> publication_sql(const config::Settings& settings, const std::string& name, Publish what);

// The same for somebody else's session, with the comment that notes the conditions as the server has them.
std::vector<std::string> publication_script(const config::Settings& settings, const std::string& name, Publish what);

// What was asked of a table, as the comment has it before the server's own spelling.
std::string asked_note(const base::TableName& table, const config::TableFilter& filter);
constexpr const char* note_begin = "pgtandem: ";
constexpr const char* note_between = "; ";

}  // namespace capture
