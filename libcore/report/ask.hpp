// What each server says of itself, asked of all at the same time and never for longer than a deadline, whatever a
// server does or a name service. Owns the threads; one that is not done in time is left to end by itself. For
// snapshot.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "config/settings.hpp"
#include "report/snapshot.hpp"

namespace report {

struct Answer {
  Server server;
  // Of a primary:
  Slot slot;
  // Of a standby, where the spool has a source:
  std::string progress_error;
  bool asked_progress = false;  // what follows is known
  std::string applied_lsn;
  std::string end_lsn;
  uint64_t operations = 0;
  Time applied_time;
  std::vector<PausedTable> paused;
};

// By node. `source`: what the spool holds; nothing where it was not founded.
std::map<std::string, Answer> ask_servers(const config::Settings& settings, const std::optional<change::Source>& source,
                                          double deadline);

}  // namespace report
