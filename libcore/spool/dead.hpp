// Operations in quarantine: each could not be written to one standby and waits under dead/, until a person mends what
// refuses it, or a later change brings all of its row. Owns those files, and the audit record of what became of them
// (SPOOL/audit.jsonl). apply puts letters in and takes them out; `queue dead` shows them and says what apply is to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace spool {

struct DeadLetter {
  std::string node;
  change::Lsn lsn;  // commit LSN of its transaction
  uint64_t ordinal = 0;
  std::string table;
  std::string type;  // insert, update, delete
  std::string sqlstate;
  std::string message;
  std::string relation;  // the line of the change format that tells the shape of its rows, without a newline
  std::string change;    // its own line
  std::string present;   // the standby's row when it was refused, as a JSON object; empty: none, or it can't be told
  std::vector<uint64_t> keys;  // hashes of the keys that it has to do with
  int64_t time = 0;            // when it was put here, microseconds since 1970
  bool retry = false;          // apply is to try it again
  change::Lsn superseded_by;   // a change that brings all of it is committed with this LSN; 0/0: none
  std::string id() const { return lsn.text() + "#" + std::to_string(ordinal); }  // operation_id
};

// In the primary's order; of one node, or of all. Throws Error(data) for a file that is damaged.
std::vector<DeadLetter> dead_letters(const std::filesystem::path& spool, const std::string& node = {});
// Those of list_dead() that are still there, in the primary's order. Throws as dead_letters().
std::vector<DeadLetter> read_letters(const std::vector<std::filesystem::path>& files);
// When something was last put there or taken away.
std::filesystem::file_time_type dead_changed(const std::filesystem::path& spool);
// Durable when it returns; replaces one of the same operation and node.
void put_dead(const std::filesystem::path& spool, const DeadLetter& letter);
// The same, if it is still there.
void update_dead(const std::filesystem::path& spool, const DeadLetter& letter);
// Takes it away; `action` (applied, superseded, dropped, not_committed) goes to the audit record.
void remove_dead(const std::filesystem::path& spool, const DeadLetter& letter, const std::string& action);
void audit_dead(const std::filesystem::path& spool, const DeadLetter& letter, const std::string& action);

// What `queue dead` does, and says, for those that an operation_id names, or "all". Throws Error(usage) where it names
// none. A retry takes along what concerns the same rows.
std::string dead_text(const config::Settings& settings, const std::string& id);  // a line each
std::string dead_json(const config::Settings& settings, const std::string& id);  // a JSON object each, a line each
std::string show_dead(const config::Settings& settings, const std::string& id);
std::string retry_dead(const config::Settings& settings, const std::string& id);
std::string drop_dead(const config::Settings& settings, const std::string& id);

struct DeadAction {
  const char* name;
  const char* help;
  std::string (*run)(const config::Settings&, const std::string& id);
};
constexpr DeadAction dead_actions[] = {
    {"show", "everything about one", show_dead},
    {"retry", "have apply try it again, with what waits behind it", retry_dead},
    {"drop", "give it up; the audit record keeps it", drop_dead},
};

}  // namespace spool
