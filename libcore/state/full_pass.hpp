// The full pass (scripts/sync-full): the record that it leaves, and how to start one that outlives who asked for it.
// Reads STATE/full-sync.NODE.json, the last pass over that standby, and STATE/runs/ID.json, each of the last few
// passes; the script writes both, in one form. Owns nothing else; of the pass's work it knows nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace state {

// Of one table, in one pass.
struct PassTable {
  bool proven = false;
  std::string why;   // it is not; empty where it is
  std::string lsn;   // of the cut that proved it or not; empty: it was not compared
  std::string time;  // of that cut
  std::optional<uint64_t> rows;
  uint64_t repaired = 0;  // rows inserted, updated or deleted on the standby
  uint64_t copied = 0;
  uint64_t unsettled = 0;
};

enum class PassState {
  starting,    // asked for, and the script has not begun to work
  running,     // at work
  proven,      // exit code 0: all tables are equal
  different,   // exit code 1
  stopped,     // somebody told it to; the next one goes on
  failed,      // any other exit code; `failed` and `message` tell
  broken_off,  // it was killed, or the machine was: no end is recorded and nobody is at work
};
const char* name_of(PassState state);  // "starting" … "broken off"

struct FullPass {
  std::string run;      // its id: "full-20261123T040506Z-4711"; empty in a record of an older pgtandem
  std::string by;       // "alice@host" or "api@192.0.2.5"; empty where nobody said, as from a timer
  std::string node;     // the standby; empty: several, see `parts`
  std::string started;  // RFC 3339 UTC
  std::string since;    // what an interrupted pass before it proved since then counts, too
  std::string ended;    // empty: it has not, as far as is recorded
  std::string lsn;      // of the last cut
  std::string failed;   // which program; empty: none
  std::string message;  // the last line that it said; empty while nothing was said
  std::optional<int> exit_code;
  bool stopped = false;
  std::optional<int64_t> last_full_sync;  // Unix seconds: when a pass last proved all tables of this standby
  std::map<std::string, PassTable> tables;
  std::vector<FullPass> parts;           // of a pass over several standbys: theirs, as far as it has come
  PassState state = PassState::running;  // judged when it is read
};

// STATE/full-sync.NODE.json
std::filesystem::path last_pass_path(const std::filesystem::path& state, const std::string& node);
// The last pass over that standby, running or not; nothing where there never was one. Throws Error(data) for a file
// that is damaged.
std::optional<FullPass> last_pass(const std::filesystem::path& state, const std::string& node);
// The one of that id; nothing where there is none (any more), or where `run` is no id. Throws as last_pass().
std::optional<FullPass> run_of(const std::filesystem::path& state, const std::string& run);
// The one that is at work now, or starting.
std::optional<FullPass> running_pass(const std::filesystem::path& state);
// How an API and --json show it: one JSON object, one line without its end. The fields of the record, and "state",
// "tables_proven", "tables_total"; of a pass over several standbys these count all of them, and "nodes" has each.
std::string run_json(const FullPass& pass);
// One line for people: "full pass full-…: running since …, 3 of 5 tables proven".
std::string run_text(const FullPass& pass);

struct Started {
  FullPass pass;
  bool already_running = false;  // `pass` is the one that was at work before
};
// Starts the pass (sync-full --force) in a session of its own: it goes on when this process ends. Returns as soon as it
// is at work, or after 3 s. `by` as in AutoSync; `node` empty: all standbys, one after the other. The script is looked
// for beside this program. Throws Error as Settings::secondary(), Error(config) where there is no script, and Error
// with the pass's own exit code and last line where it ends before it begins to work.
Started start_full_pass(const config::Settings& settings, const std::string& node, const std::string& by);

// Waits for the end of that run, as long as it takes, or for a request to stop; how it then stands.
FullPass await_full_pass(const std::filesystem::path& state, const std::string& run);

// Pure: a record's text; `name` is for the error, `alive`: somebody is at work on it, `now_us` as unix_microseconds().
FullPass parse_pass(const std::string& text, const std::string& name, bool alive, int64_t now_us);
// Whether it may be an id, and so a file's name.
bool is_run_id(const std::string& run);
std::filesystem::path run_path(const std::filesystem::path& state, const std::string& run, const char* suffix);

}  // namespace state
