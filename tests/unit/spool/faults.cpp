#include "faults.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

namespace faults {
namespace {

std::mutex mutex;
std::function<long(const Call&)> on_before;
std::function<void(const Call&)> on_after;

std::string path_of(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), path, sizeof path);
  return n < 0 ? "" : std::string(path, static_cast<size_t>(n));
}

// The call, unless it is to fail or to be left out; `real` takes how many bytes it may write, or 0 for all.
template <class Real>
long guarded(Call::Kind kind, int fd, const void* bytes, size_t size, off_t offset, Real real) {
  const std::lock_guard lock(mutex);
  if (!on_before) return real(0);
  const Call call{kind, path_of(fd), std::string(static_cast<const char*>(bytes), size), offset};
  const long verdict = on_before(call);
  if (verdict < 0) {
    errno = static_cast<int>(-verdict);
    return -1;
  }
  const long result = verdict > 0 && kind != Call::pwrite ? 0 : real(verdict);
  if (result >= 0 && on_after) on_after(call);
  return result;
}

}  // namespace

Watch::Watch(std::function<long(const Call&)> before, std::function<void(const Call&)> after) {
  const std::lock_guard lock(mutex);
  on_before = std::move(before);
  on_after = std::move(after);
}
Watch::~Watch() {
  const std::lock_guard lock(mutex);
  on_before = {};
  on_after = {};
}

}  // namespace faults

// The linker takes these instead of the C library's.
extern "C" int fdatasync(int fd) {
  return static_cast<int>(
      faults::guarded(faults::Call::fdatasync, fd, "", 0, 0, [fd](long) { return ::syscall(SYS_fdatasync, fd); }));
}
extern "C" int fsync(int fd) {
  return static_cast<int>(
      faults::guarded(faults::Call::fsync, fd, "", 0, 0, [fd](long) { return ::syscall(SYS_fsync, fd); }));
}
extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return faults::guarded(faults::Call::pwrite, fd, bytes, size, offset, [=](long most) {
    return ::syscall(SYS_pwrite64, fd, bytes, most > 0 ? std::min(size, static_cast<size_t>(most)) : size, offset);
  });
}
