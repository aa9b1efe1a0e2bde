#include "spool/layout.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"

namespace spool {
namespace fs = std::filesystem;

std::string segment_stem(change::Lsn first) {
  std::string hex = base::hex16(first.value);
  for (char& c : hex) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return hex;
}

bool parse_segment_stem(std::string_view stem, change::Lsn& first) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (stem.size() != 16 || stem.find_first_not_of(digits) != stem.npos)
    return false;  // lower case would sort elsewhere
  std::from_chars(stem.data(), stem.data() + stem.size(), first.value, 16);
  return true;
}

namespace {

constexpr std::string_view plain_end = ".jsonl";
constexpr std::string_view zstd_end = ".jsonl.zst";

std::string encoded(const std::string& node) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : node) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte)) || c == '_' || c == '-') {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

bool parse_segment_name(std::string_view name, Segment& segment) {
  if (!parse_segment_stem(name.substr(0, 16), segment.first)) return false;
  segment.compressed = name.substr(16) == zstd_end;
  return segment.compressed || name.substr(16) == plain_end;
}

// Calls `each` with every entry; a missing directory has none.
template <class Each>
void for_each_entry(const fs::path& directory, Each each) {
  std::error_code failed;
  fs::directory_iterator entry(directory, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) each(entry->path());
  if (!failed || failed == std::errc::no_such_file_or_directory) return;
  errno = failed.value();
  base::throw_errno("cannot list " + directory.string());
}

}  // namespace

fs::path mark_path(const fs::path& spool) { return spool / "mark"; }
fs::path lock_path(const fs::path& spool) { return spool / "lock"; }
fs::path full_path(const fs::path& spool) { return spool / "full"; }
fs::path segments_path(const fs::path& spool) { return spool / "segments"; }
fs::path cursors_path(const fs::path& spool) { return spool / "cursors"; }
fs::path proofs_path(const fs::path& spool) { return spool / "proofs"; }
fs::path dead_path(const fs::path& spool) { return spool / "dead"; }
fs::path audit_path(const fs::path& spool) { return spool / "audit.jsonl"; }

fs::path cursor_path(const fs::path& spool, const std::string& node) { return cursors_path(spool) / encoded(node); }
fs::path cursor_lock_path(const fs::path& spool, const std::string& node) {
  return cursors_path(spool) / (encoded(node) + ".lock");
}
fs::path proof_path(const fs::path& spool, const std::string& node) { return proofs_path(spool) / encoded(node); }

Segment segment_at(const fs::path& spool, change::Lsn first, bool compressed) {
  Segment segment{first, compressed, 0, {}};
  segment.path = segments_path(spool) / (segment_stem(first) + std::string(compressed ? zstd_end : plain_end));
  return segment;
}

std::vector<Segment> list_segments(const fs::path& spool) {
  std::vector<Segment> all;
  for_each_entry(segments_path(spool), [&all](const fs::path& path) {
    Segment segment;
    struct stat file {};
    if (!parse_segment_name(path.filename().string(), segment)) return;
    if (::stat(path.c_str(), &file) != 0) {
      if (errno == ENOENT) return;  // pruned under our eyes
      base::throw_errno("cannot look at " + path.string());
    }
    segment.bytes = static_cast<uint64_t>(file.st_size);
    segment.path = path;
    all.push_back(std::move(segment));
  });
  std::sort(all.begin(), all.end(), [](const Segment& a, const Segment& b) { return a.first < b.first; });
  for (size_t i = 1; i < all.size(); ++i)
    if (all[i].first == all[i - 1].first)
      throw base::Error(base::Exit::data, all[i - 1].path.string() + " and " + all[i].name() +
                                              " claim the same place; move away the one that was put there by hand");
  return all;
}

std::vector<std::string> strange_names(const fs::path& spool) {
  std::vector<std::string> names;
  for_each_entry(segments_path(spool), [&names](const fs::path& path) {
    Segment segment;
    if (!parse_segment_name(path.filename().string(), segment)) names.push_back(path.filename().string());
  });
  std::sort(names.begin(), names.end());
  return names;
}

fs::path dead_letter_path(const fs::path& spool, change::Lsn lsn, uint64_t ordinal, const std::string& node) {
  return dead_path(spool) / (segment_stem(lsn) + "-" + std::to_string(ordinal) + "." + encoded(node) + ".json");
}

std::vector<fs::path> list_dead(const fs::path& spool) {
  std::vector<fs::path> files;
  for_each_entry(dead_path(spool), [&files](const fs::path& path) {
    if (path.extension() == ".json") files.push_back(path);
  });
  return files;
}

std::vector<fs::path> list_dead(const fs::path& spool, const std::string& node) {
  std::vector<fs::path> files = list_dead(spool);
  const std::string end = "." + encoded(node) + ".json";
  std::erase_if(files, [&](const fs::path& path) { return !path.native().ends_with(end); });
  std::sort(files.begin(), files.end());
  return files;
}

void make_spool_directories(const fs::path& spool) {
  if (spool.has_parent_path()) base::make_directories(spool.parent_path());
  for (const fs::path& directory : {spool, segments_path(spool), cursors_path(spool), dead_path(spool)})
    base::make_directory(directory, 0700);
}

}  // namespace spool
