#include "base/locked.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/files.hpp"

namespace base {

bool is_locked(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return false;
  if (!fd) throw_errno("cannot open " + path.string());
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return false;
  if (errno != EWOULDBLOCK) throw_errno("cannot look at " + path.string());
  return true;
}

}  // namespace base
