// The comparison of the synced tables of a primary and a standby, at one cut. Owns the order of things: one table after
// the other, and where the cut is not exact, then once more what looked different.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "compare/comparison.hpp"
#include "compare/progress.hpp"
#include "config/settings.hpp"

namespace compare {

struct Options {
  Asked asked;
  bool summary = false;          // a line a table, in the place of change lines
  bool rows = false;             // inserts in the place of a copy line
  bool recheck = false;          // an exact cut is not tried
  std::filesystem::path report;  // a line of JSON for each table; empty: none
  std::function<void(std::string_view)> print;
  std::function<void(const Progress&)> show;  // for a terminal; else lines go to the log
};

// Exit::done where all are equal, Exit::finding where they are not or a table is paused, Exit::try_later where rows are
// written too often to be sure of, and nothing else was found. Throws as Comparison, Error(try_later) where it was
// stopped or gave way, and, when all others are compared and printed, Error for the tables that cannot be.
base::Exit diff(const config::Settings& settings, const Options& options);

}  // namespace compare
