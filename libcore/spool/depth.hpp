// How much of the spool waits for whom: the mark against the cursors of every standby. Plain figures; decides nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"

namespace spool {

// The cursors of all secondaries; none for one that never applied, or whose cursor cannot be read (a warning is
// logged, `unreadable` counts it): both have applied nothing as far as anyone can tell.
struct Cursors {
  std::map<std::string, std::optional<Cursor>> nodes;
  int unreadable = 0;
  // What every standby has; zero as long as one has nothing, or there is none.
  Cursor lowest() const;
  // What every table of every standby has: nothing of it is read again.
  change::Lsn everywhere() const;
};
Cursors read_cursors(const config::Settings& settings);

// Operations put that the cursor's standby has not applied.
uint64_t waiting(const Mark& mark, const Cursor& cursor);

}  // namespace spool
