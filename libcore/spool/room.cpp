#include "spool/room.hpp"

#include <string>
#include <system_error>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "spool/depth.hpp"
#include "spool/layout.hpp"
#include "spool/prune.hpp"

namespace spool {

Room::Room(const config::Settings& settings) : settings_(settings) {
  for (const Segment& segment : list_segments(settings.spool.directory)) used_ += segment.bytes;
}

bool Room::for_bytes(uint64_t more, const Mark& written, change::Lsn current) {
  const auto max = static_cast<uint64_t>(settings_.spool.max_bytes);
  if (used_ + more <= max) return true;
  prune(settings_, Short::yes);
  used_ = 0;
  bool others = false;  // segments that may still go
  for (const Segment& segment : list_segments(settings_.spool.directory)) {
    used_ += segment.bytes;
    others = others || (segment.first != written.segment && segment.first != current);
  }
  if (used_ + more <= max) {
    said_too_large_ = false;
    return true;
  }
  // The newest segment stays even when all of it is applied, so waiting for more room than the others give is in vain.
  if (others || written.commit_lsn > read_cursors(settings_).everywhere()) return false;
  if (!said_too_large_)
    base::log(base::Level::warn, "a transaction is larger than spool.max_bytes (" + std::to_string(max) +
                                     " bytes) allows; the spool is empty otherwise, so it is written all the same");
  said_too_large_ = true;
  return true;
}

bool Room::for_operations(uint64_t operations) {
  const auto bound = static_cast<uint64_t>(settings_.synchronization.max_queue_size);
  if (!settings_.spool.strict || operations - applied_operations_ < bound) return true;
  const Cursors cursors = read_cursors(settings_);
  if (cursors.nodes.empty()) return true;
  applied_operations_ = cursors.lowest().operations;
  return operations < applied_operations_ + bound;
}

void note_full(const std::filesystem::path& spool, const std::string& why) {
  try {
    base::replace_file(full_path(spool), why + "\n", base::Durable::no, private_file);
  } catch (const base::Error& error) {
    base::log(base::Level::debug, error.what());
  }
}

void note_room(const std::filesystem::path& spool) {
  std::error_code none;
  std::filesystem::remove(full_path(spool), none);
}

std::string full_because(const std::filesystem::path& spool) {
  std::string why = base::read_file(full_path(spool)).value_or("");
  if (!why.empty() && why.back() == '\n') why.pop_back();
  return why;
}

}  // namespace spool
