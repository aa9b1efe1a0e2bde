// Proof that tables are equal: all rows of both sides counted and digested at one cut, and a receipt of it in the state
// directory. Owns what counts as proven; a comparison that is not exact never does. For cmd/verify.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "compare/comparison.hpp"
#include "compare/progress.hpp"
#include "config/settings.hpp"

namespace compare {

struct VerifyOptions {
  Asked asked;
  uint64_t sample = 0;  // rows of a table that are looked at, in the place of all; proves nothing, writes nothing
  bool scrub = false;   // reads less of tables that were proven before, see scrub.hpp
  bool json = false;
  std::function<void(std::string_view)> print;
  std::function<void(const Progress&)> show;  // for a terminal; else lines go to the log
};

// Exit::done where all are proven equal, Exit::finding where one is not. The receipt has every table as soon as it is
// compared, and the marks of those proven equal go. Throws as Comparison; Error(try_later) where the cut is not exact,
// it was stopped, gave way, or another verify runs; and, when all others are judged, for tables that cannot be
// compared.
base::Exit verify(const config::Settings& settings, const VerifyOptions& options);

// Tables that are marked for the full pass on this standby, a line each.
std::string marked_text(const config::Settings& settings, const std::string& node, bool json);

}  // namespace compare
