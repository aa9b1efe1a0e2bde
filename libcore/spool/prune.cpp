#include "spool/prune.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "spool/depth.hpp"
#include "spool/layout.hpp"
#include "spool/mark.hpp"
#include "spool/proof.hpp"

namespace spool {
namespace {

// When the segment was first seen applied everywhere. Nothing but the file itself needs to remember it: an applied one
// is made read-only, and its time of change is that moment.
bool kept_long_enough(const Segment& segment, double retain) {
  if (retain <= 0) return true;
  struct stat file {};
  if (::stat(segment.path.c_str(), &file) != 0) return true;
  constexpr mode_t applied = 0400;
  if ((file.st_mode & 0777) != applied) {
    if ((::utimensat(AT_FDCWD, segment.path.c_str(), nullptr, 0) != 0 || ::chmod(segment.path.c_str(), applied) != 0) &&
        errno != ENOENT)
      base::throw_errno("cannot mark " + segment.path.string() + " as applied");
    return false;
  }
  const double since = static_cast<double>(file.st_mtim.tv_sec) + static_cast<double>(file.st_mtim.tv_nsec) / 1e9;
  return static_cast<double>(base::unix_microseconds()) / 1e6 - since >= retain;
}

// Of the `count` oldest, which every standby has applied, how many go before the next full pass has read them.
size_t unwanted(const config::Settings& settings, const std::vector<Segment>& all, size_t count, Short room) {
  const std::optional<change::Lsn> wanted = wanted_from(settings);
  if (!wanted) return count;
  size_t free = 0;
  while (free < count && all[free + 1].first <= *wanted) ++free;
  uint64_t kept = 0;
  for (size_t i = free; i < count; ++i) kept += all[i].bytes;
  // A part of the spool: mostly it is the changes of one interval, which are far less. One segment may be more of it.
  constexpr uint64_t part = 10;
  const bool little = count - free == 1 || kept <= static_cast<uint64_t>(settings.spool.max_bytes) / part;
  if (kept == 0 || (room == Short::no && little)) return free;
  base::log(base::Level::info, std::to_string(kept) +
                                   " bytes of the spool are not kept any longer for the next full pass, which reads "
                                   "whole tables then");
  forget_wanted(settings);
  return count;
}

}  // namespace

std::vector<std::string> prune(const config::Settings& settings, Short room) {
  const std::filesystem::path& spool = settings.spool.directory;
  const change::Lsn newest = require_mark(spool).segment;
  const change::Lsn applied = read_cursors(settings).everywhere();
  const std::vector<Segment> all = list_segments(spool);
  // What comes after a segment is applied in order, so a standby that has the next one's first transaction has all of
  // this one.
  size_t count = 0;
  while (count + 1 < all.size() && all[count].first < newest && all[count + 1].first <= applied) ++count;
  count = unwanted(settings, all, count, room);
  std::vector<std::string> removed;
  bool held = false;
  // Oldest first, so that whatever interrupts this leaves no hole.
  for (size_t i = 0; i < count; ++i) {
    held = !kept_long_enough(all[i], settings.spool.retain) || held;  // every one is asked, so that its time begins
    if (held) continue;
    if (::unlink(all[i].path.c_str()) != 0) {
      if (errno == ENOENT) continue;  // another one was faster
      base::throw_errno("cannot remove " + all[i].path.string());
    }
    removed.push_back(all[i].name());
  }
  return removed;
}

std::string prune_text(const config::Settings& settings) {
  std::string out;
  for (const std::string& name : prune(settings)) out += name + "\n";
  return out;
}

}  // namespace spool
