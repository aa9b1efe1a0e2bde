// What lies where in a spool, and under which name. The one module that builds or takes apart a file name of the spool;
// it makes the directories and opens nothing else. Everything under spool/ calls it, nobody outside needs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "change/lsn.hpp"

namespace spool {

constexpr unsigned private_file = 0600;  // rows of the primary lie in there: for the owner's eyes

std::filesystem::path mark_path(const std::filesystem::path& spool);
std::filesystem::path lock_path(const std::filesystem::path& spool);
std::filesystem::path full_path(const std::filesystem::path& spool);
std::filesystem::path segments_path(const std::filesystem::path& spool);
std::filesystem::path cursors_path(const std::filesystem::path& spool);
std::filesystem::path proofs_path(const std::filesystem::path& spool);
std::filesystem::path dead_path(const std::filesystem::path& spool);
std::filesystem::path audit_path(const std::filesystem::path& spool);

// A node may be called anything; what is not a letter, a digit, `_` or `-` of ASCII becomes %XX.
std::filesystem::path cursor_path(const std::filesystem::path& spool, const std::string& node);
std::filesystem::path cursor_lock_path(const std::filesystem::path& spool, const std::string& node);
std::filesystem::path proof_path(const std::filesystem::path& spool, const std::string& node);

// A segment is known by the commit LSN of its first transaction, in 16 hex digits so that `ls` is the order.
struct Segment {
  change::Lsn first;
  bool compressed = false;
  uint64_t bytes = 0;  // of the file when it was listed
  std::filesystem::path path;
  std::string name() const { return path.filename().string(); }
};
std::string segment_stem(change::Lsn first);                         // those digits, in upper case
bool parse_segment_stem(std::string_view stem, change::Lsn& first);  // false if the text is not that
Segment segment_at(const std::filesystem::path& spool, change::Lsn first, bool compressed);

// All segments there are, in order; a missing directory has none. Throws Error(data) when two share an LSN.
std::vector<Segment> list_segments(const std::filesystem::path& spool);
// Names under segments/ that are none of a segment.
std::vector<std::string> strange_names(const std::filesystem::path& spool);
// Files under dead/: an operation in quarantine each.
std::filesystem::path dead_letter_path(const std::filesystem::path& spool, change::Lsn lsn, uint64_t ordinal,
                                       const std::string& node);
std::vector<std::filesystem::path> list_dead(const std::filesystem::path& spool);
// Those of one node, in the order of their transactions; nothing is opened.
std::vector<std::filesystem::path> list_dead(const std::filesystem::path& spool, const std::string& node);

// The spool's directory (and its parents) and those inside it, the spool's own closed to others.
void make_spool_directories(const std::filesystem::path& spool);

}  // namespace spool
