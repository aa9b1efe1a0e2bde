// This machine's part: the configuration's warnings, programs that are named in it, the directories of spool and state,
// room on their disks, the switch. Tries to write and to read; leaves nothing behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "check/finding.hpp"
#include "config/settings.hpp"

namespace check {

struct Room {
  uint64_t total = 0;  // bytes of the file system
  uint64_t free = 0;   // for us
  uint64_t used = 0;   // by the spool
};
// Pure. `max_bytes`: what the spool may grow to; 0 for a directory that does not grow.
void judge_room(const Room& room, uint64_t max_bytes, const std::filesystem::path& directory, Findings& findings);

void look_at_machine(const config::Settings& settings, Findings& findings);

}  // namespace check
