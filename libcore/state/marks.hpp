// Tables that the next full pass has to look at first, because something in them is known not to be as on the primary.
// Owns STATE/marks/: a file a node and table, with the first reason. Any tool may set one; verify takes it away when it
// has proven the table equal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/table_name.hpp"

namespace state {

struct TableMark {
  std::string node;
  std::string table;  // as base::TableName::text() gives it
  std::string reason;
  std::string operation_id;
  std::string time;
};

// Durable when it returns. Where the table is marked already the first reason stays, and only the file's time changes.
void mark_table(const std::filesystem::path& state, const std::string& node, const std::string& table,
                const std::string& reason, const std::string& operation_id);
// Oldest first. Throws Error(data) for a file that is damaged.
std::vector<TableMark> marked_tables(const std::filesystem::path& state);

// Takes a mark away whose table was proven equal at a state seen after `proven_us` (microseconds since 1970). A table
// marked since then stays marked. False where no mark went.
bool clear_mark(const std::filesystem::path& state, const std::string& node, const std::string& table,
                int64_t proven_us);

}  // namespace state
