// Rows that look different, looked at again on both sides until that is certain, for a moment of its own each time: at
// a cut where one can be had, else by the way that needs no slot. Owns that decision and how often it is tried; writes
// nothing. Whoever mends calls it with the applier held, and writes before it goes on.
//
// Without a slot: the primary's row, then the end of its WAL, then the standby brought to exactly there and its row,
// then the primary's row again. The same version of it both times was the row's at that LSN, and what differs then
// differs; another one is tried again. A row that is absent both times may have been there in between, and so may one
// more of rows that are alike and have no key: such a difference is one when the next look finds it unwritten.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "compare/cut.hpp"
#include "compare/row_look.hpp"
#include "compare/suspect.hpp"
#include "config/settings.hpp"

namespace compare {

struct Verdict {
  enum class Kind { equal, differs, unsettled } kind = Kind::unsettled;
  SeenRow primary;
  SeenRow standby;
};

// Nobody wrote the row on either side between two looks at it.
bool unwritten(const Verdict& before, const Verdict& now);

struct RecheckOptions {
  std::string primary;
  std::string node;
  double limit = 0;   // s for one look; 0: sync_timeout
  bool exact = true;  // false: not even tried, as for `diff --recheck`
  int rounds = 5;     // looks at what was written meanwhile, where there is no cut
  bool twice = true;  // what may be there for a moment only; false: who asks looks twice at all that differs
};

// What is certain of a look, while the applier stands at `standby_lsn` of the standby: `verdicts` are of `which`,
// indices of the suspects. `keep` is to be called now and then where it takes long; it throws when the applier went on.
struct Looked {
  change::Lsn lsn;
  change::Lsn standby_lsn;
  std::vector<size_t> which;
  std::vector<Verdict>& verdicts;
  std::function<void()> keep;
};

// One for each of `suspects`. `held`, if given, runs once or several times, with the applier held. Throws
// base::Transient(try_later) where the applier cannot be held in time, and as sessions do.
std::vector<Verdict> recheck(const config::Settings& settings, const RecheckOptions& options,
                             std::span<const Suspect> suspects, const std::function<void(const Looked&)>& held = {});

}  // namespace compare
