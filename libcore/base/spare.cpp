#include "base/spare.hpp"

#include <fcntl.h>
#include <stdio.h>  // renameat2
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"

namespace base {
namespace {

constexpr size_t least_spare = 16384;  // bytes: some dozens of entries, and nothing to a disk

std::filesystem::path spare_of(const std::filesystem::path& path) {
  std::filesystem::path spare = path;
  return spare += ".spare";
}

struct Room {
  size_t size;    // bytes
  size_t blocks;  // bytes that it takes on the disk: so many can be written without room
};
Room room_of(const Fd& fd) {
  struct stat now {};
  if (::fstat(fd.get(), &now) != 0) return {0, 0};
  return {static_cast<size_t>(now.st_size), static_cast<size_t>(now.st_blocks) * 512};
}

void keep_spare(const std::filesystem::path& path, size_t content) {
  const size_t wanted = std::max(least_spare, 2 * content);
  const std::filesystem::path spare = spare_of(path);
  try {
    const Fd fd = open_file(spare, O_RDWR | O_CREAT);
    const Room room = room_of(fd);
    if (std::min(room.size, room.blocks) >= wanted) return;
    pwrite_all(fd.get(), std::string(wanted, ' '), 0, spare.string());
  } catch (const Error&) {
    // The disk has become full just now; what was to be written is.
  }
}

bool write_spare(const std::filesystem::path& path, std::string_view content, Durable durable) {
  const std::filesystem::path spare = spare_of(path);
  try {
    const Fd fd = open_file(spare, O_RDWR);
    const Room room = room_of(fd);
    if (room.blocks < content.size()) return false;
    std::string padded(content);
    padded.resize(std::max(content.size(), room.size), ' ');
    pwrite_all(fd.get(), padded, 0, spare.string());
    if (durable == Durable::yes && ::fsync(fd.get()) != 0) return false;
  } catch (const Error&) {
    return false;
  }
  // What was the record is the next spare.
  if (::renameat2(AT_FDCWD, spare.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) != 0 &&
      ::rename(spare.c_str(), path.c_str()) != 0)
    return false;
  if (durable == Durable::yes) sync_directory(path.has_parent_path() ? path.parent_path() : ".");
  return true;
}

}  // namespace

void replace_spared(const std::filesystem::path& path, std::string_view content, Durable durable) {
  try {
    replace_file(path, content, durable);
  } catch (const Error& failure) {
    if (failure.kind() != Exit::cannot_create || !write_spare(path, content, durable)) throw;
    return;
  }
  keep_spare(path, content.size());
}

}  // namespace base
