// One look at everything: the spool, what the tools left in the state directory, the switches, and both servers. Owns
// the structure and the taking of it; decides nothing (judge() in health.hpp does) and says nothing to people. Plain
// values: tests make them by hand. Times are microseconds since 1970, durations seconds, sizes bytes. What is not known
// is absent, and never zero. For status and for whoever serves it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "report/verdict.hpp"

namespace report {

using Time = std::optional<int64_t>;

// Why a server did not answer; each is mended otherwise.
enum class Trouble {
  none,
  unreachable,  // nobody listens there, or no way leads there
  hangs,        // no answer within the deadline
  login,        // wrong password, role, database, or pg_hba.conf
  right,        // the role lacks one
  crowded,      // all its connections are taken
  starting,     // it starts, stops, or recovers
  encryption,   // it is there, and no encryption comes about
  other,
};

// What a server said of itself.
struct Server {
  Trouble trouble = Trouble::none;
  std::string error;      // a line, without secrets; empty: it answered
  double seconds = 0;     // that it took
  std::string system_id;  // of the cluster; empty: not known
  uint32_t timeline = 0;
  int version = 0;  // 150020
  std::optional<bool> in_recovery;
  std::optional<double> clock_skew;  // s that its clock is ahead of ours
  std::string lsn;                   // where its WAL ends; empty: not known
  bool has_slot = false;             // ours is there
  bool has_progress = false;         // it keeps the progress of a standby
  bool reached() const { return trouble == Trouble::none; }
};

enum class Health { healthy, warning, critical, offline };

struct Node {
  std::string name;
  config::Role role = config::Role::secondary;
  int priority = 1;
  std::string host;  // of the configuration's server:, else of its database_url; for people
  int port = 0;
  uint64_t failure_threshold = 3;  // looks in vain after which it is offline
  double lag_threshold = 60;       // s behind above which a standby is not healthy
  Health health = Health::healthy;
  std::optional<double> replication_lag;  // s; 0 for a primary
  uint64_t failure_count = 0;             // looks in a row at which it did not answer
  Time last_check;
  std::string last_error;  // the last that was met, also when it answers now; empty: none
  Server server;
};

// The slot on the primary. All of it absent when the primary did not answer.
struct Slot {
  std::string name;
  std::optional<bool> exists;
  std::optional<bool> publication_exists;
  bool active = false;
  std::string wal_status;                // reserved, extended, unreserved, lost
  std::optional<int64_t> safe_wal_size;  // bytes that may still be written before it is lost; absent: no limit is set
  std::optional<int64_t> retained;       // bytes of WAL that it keeps
  std::string confirmed_lsn;
  Time inactive_since;
};

struct Spool {
  std::string error;     // it is damaged, or cannot be read at all, and why; empty: it is well as far as was looked
  bool readable = true;  // false: we may not read it
  bool full = false;     // nothing more is captured until there is room
  bool founded = false;
  uint64_t bytes = 0;
  uint64_t max_bytes = 0;
  uint64_t segments = 0;
  std::optional<uint64_t> free_bytes;  // of its file system
  std::optional<uint64_t> disk_bytes;  // all of that
  uint64_t operations_total = 0;       // ever put
  uint64_t transactions_total = 0;
  std::string system_id;  // of the primary that it belongs to
  uint32_t timeline = 0;
  std::string captured_to;       // LSN: whatever committed at or before it is in the queue
  Time captured_to_time;         // when that was said
  std::string captured_lsn;      // of the last transaction in it
  Time captured_time;            // its commit time
  bool capture_running = false;  // it holds the slot, or writes
  std::optional<double> rate;    // operations a second that capture wrote, over the last minute that it worked in
};

struct PausedTable {
  std::string table;
  std::string reason;
  Time since;
};

struct MarkedTable {
  std::string table;
  std::string reason;
  Time time;
};

// What the last exact comparison said of one table.
struct TableState {
  std::string table;
  std::optional<bool> equal;  // absent: never compared
  std::string why;            // not equal, or could not be compared
  Time time;
  std::string lsn;
  std::optional<uint64_t> rows;  // on the primary, at that time
  Time equal_time;               // when it was last proven equal
  std::string equal_lsn;
};

// The last full pass over one standby.
struct FullPass {
  bool running = false;
  Time started;
  Time ended;
  std::optional<int> exit_code;       // absent: it runs, was stopped, or died
  std::string failed;                 // the program that failed
  std::string message;                // what it said last
  Time proven;                        // when a pass last proved all tables equal
  std::string lsn;                    // of the last cut
  std::vector<std::string> unproven;  // tables that the last one left so
  Time progress;                      // while it runs: when it last left a trace of its work
};

// A pass that timers start: of one standby the last one for it, else the last one of all.
struct Incremental {
  bool running = false;
  Time started;
  Time ended;
  std::optional<int> exit_code;
  std::string failed;
  Time progress;  // while one runs: when it last left a trace of its work
};

// One standby: what has arrived there.
struct Standby {
  std::string node;
  bool applier_running = false;
  std::string error;        // its progress cannot be told, and why
  std::string applied_lsn;  // of the last transaction applied; empty: none
  Time applied_time;        // its commit time
  std::string applied_to;   // LSN: whatever committed at or before it is there. "Caught up" is this, not silence
  std::optional<uint64_t> waiting;  // operations in the queue for it
  Time oldest_pending;              // commit time of the first of them
  std::optional<double> lag_seconds;
  std::optional<int64_t> lag_bytes;          // of WAL, from applied_to to where the primary is
  std::optional<uint64_t> lag_transactions;  // in the queue; what is not captured yet nobody has counted
  bool caught_up = false;                    // it had reached where the primary was when that was asked
  uint64_t operations_total = 0;
  uint64_t retries_total = 0;
  std::map<std::string, uint64_t> conflicts;  // by kind, ever
  uint64_t quarantined = 0;                   // now
  uint64_t quarantined_total = 0;             // ever
  std::optional<double> rate;                 // operations a second, over the last minute that it worked in
  std::optional<double> success_rate;         // 0 to 1: of the operations that came, those that were written
  std::vector<PausedTable> paused;
  std::vector<MarkedTable> marked;
  std::vector<TableState> tables;  // in the order of sync_tables
  FullPass full;
  Incremental incremental;
};

// A state file that cannot be read; it is as good as not there.
struct Garbage {
  std::string file;       // empty: removing it would lose something
  std::string what;       // one line, which names it
  bool no_right = false;  // it is whole, perhaps: we may only not read it
  bool proofs = false;    // it has what was proven: without it nobody can tell whether tables are equal
};

// A service that goes by another configuration than its file has now.
struct OutdatedService {
  std::string name;   // capture, apply.NODE, serve
  std::string file;   // that it has read
  Time changed;       // when that was written to, or moved there
  std::string error;  // it cannot be read as it is now, and why; empty: it can
};

struct Event {
  int64_t time = 0;
  std::string level;  // info, warning, error
  std::string text;   // one line
};

// Figures of the configuration that the state is judged by.
struct Limits {
  double full_sync_interval = 300;
  double incremental_sync_interval = 10;
  int64_t max_queue_size = 1000;
  double max_age = 86400;  // s: of a row's last proof
};

struct Snapshot {
  int64_t time = 0;  // when it was taken
  std::string version;
  std::string local_node;
  std::string services_user;    // whose the state directory is; empty: that of who looks, or not known
  std::string current_primary;  // by the configuration; empty where that names none or several
  bool auto_sync_enabled = true;
  std::string switched_by;  // who turned it by `status enable` or `disable`; empty: nobody, the configuration counts
  std::string switch_reason;
  Time switched;
  bool is_monitoring = false;               // services run, or the passes run when they should
  bool by_services = false;                 // capture and apply run now, all the time
  std::optional<uint64_t> sync_queue_size;  // operations that the slowest standby has not applied
  Time oldest_pending;
  std::map<std::string, Node> nodes;
  Slot slot;
  Spool spool;
  std::optional<uint64_t> state_free_bytes;  // of the state directory's file system
  std::optional<uint64_t> state_disk_bytes;
  bool state_disk_apart = false;            // it is not the spool's
  std::map<std::string, Standby> standbys;  // by node
  Incremental incremental;
  uint64_t capture_retries_total = 0;
  Time last_error_time;
  std::string last_error;
  std::vector<Event> events;  // newest first, a few dozen
  std::vector<Garbage> unreadable;
  std::vector<OutdatedService> outdated;
  Limits limits;
  Verdict verdict;  // what all of it means

  // The standby that is furthest behind, by what waits for it, and then by time; nullptr where there is none.
  const Standby* slowest() const;
};

// Throws only where the settings themselves are at odds; whatever cannot be read is said in the snapshot. Both servers
// are asked at the same time, so that it takes three seconds and no more, whatever they do. Failures of servers are
// counted across looks, see failures.hpp.
Snapshot take_snapshot(const config::Settings& settings);

}  // namespace report
