// The comparison of the synced tables of a primary and a standby, at one cut. Owns the order of things: sessions, cut,
// checks of all tables, then one table after the other.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "compare/progress.hpp"
#include "config/settings.hpp"

namespace compare {

struct Options {
  std::string node;                 // the standby; empty: as Settings::secondary() picks it
  std::vector<std::string> tables;  // as SQL names them, each one of sync_tables; empty: all of them
  bool summary = false;             // a line a table, in the place of change lines
  bool rows = false;                // inserts in the place of a copy line
  uint64_t jobs = 1;                // sessions a side
  std::function<void(std::string_view)> print;
  std::function<void(const Progress&)> show;  // for a terminal; else lines go to the log
};

// Exit::done where all are equal, Exit::finding where they are not. Throws Error: `usage` for a table that is not
// synced, `config`, `no_right` and `data` for one that cannot be compared, try_later where it was stopped;
// base::Transient when a server is away.
base::Exit diff(const config::Settings& settings, const Options& options);

}  // namespace compare
