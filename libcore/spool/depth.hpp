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

// Operations put that a standby has not applied, which has applied so many ever: by its cursor, or by its own word.
uint64_t waiting(const Mark& mark, uint64_t applied);

}  // namespace spool
