#include "base/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "base/error.hpp"

namespace base {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() { return std::exchange(fd_, -1); }

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {

std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

}  // namespace

void give_to_owner(int made, const std::filesystem::path& path) {
  if (::geteuid() != 0) return;
  struct stat owner {};
  if (::stat(parent_of(path).c_str(), &owner) != 0 || owner.st_uid == 0) return;
  // Where root itself may not give it away, it stays as it is.
  [[maybe_unused]] const int ignored = ::fchown(made, owner.st_uid, owner.st_gid);
}

Fd open_file(const std::filesystem::path& path, int flags, unsigned mode) {
  if ((flags & O_CREAT) != 0 && ::geteuid() == 0) {
    // With O_EXCL no link is followed, and what is there is new and ours.
    Fd made(::open(path.c_str(), flags | O_EXCL | O_CLOEXEC, mode));
    if (made) give_to_owner(made.get(), path);
    if (made) return made;
  }
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) throw_errno("cannot open " + path.string());
  return Fd(fd);
}

void write_all(int fd, std::string_view bytes, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot write " + what);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void pwrite_all(int fd, std::string_view bytes, long offset, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot write " + what);
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += n;
  }
}

size_t read_some(int fd, char* to, size_t size, const std::string& what) {
  for (;;) {
    const ssize_t n = ::read(fd, to, size);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) throw_errno("cannot read " + what);
  }
}

std::optional<std::string> read_file(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) throw_errno("cannot open " + path.string());
  std::string content;
  char buffer[8192];
  while (const size_t n = read_some(fd.get(), buffer, sizeof buffer, path.string())) content.append(buffer, n);
  return content;
}

void sync_data(int fd, const std::string& what) {
  if (::fdatasync(fd) != 0) throw_errno("cannot sync " + what);
}

void sync_directory(const std::filesystem::path& directory) {
  const Fd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (::fsync(fd.get()) != 0) throw_errno("cannot sync " + directory.string());
}

void replace_file(const std::filesystem::path& path, std::string_view content, Durable durable, unsigned mode) {
  std::filesystem::path aside = path;
  aside += ".new";
  {
    const Fd fd = open_file(aside, O_WRONLY | O_CREAT | O_TRUNC, mode);
    write_all(fd.get(), content, aside.string());
    if (durable == Durable::yes && ::fsync(fd.get()) != 0) throw_errno("cannot sync " + aside.string());
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) throw_errno("cannot rename " + aside.string());
  if (durable == Durable::yes) sync_directory(path.has_parent_path() ? path.parent_path() : ".");
}

void make_directory(const std::filesystem::path& directory, unsigned mode) {
  if (::mkdir(directory.c_str(), mode) == 0) {
    const Fd made(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (made) give_to_owner(made.get(), directory);
    return;
  }
  const int why = errno;
  std::error_code failed;
  if (why == EEXIST && std::filesystem::is_directory(directory, failed)) return;
  errno = why == EEXIST ? ENOTDIR : why;
  throw_errno("cannot create " + directory.string());
}

void make_directories(const std::filesystem::path& directory) {
  std::error_code failed;
  if (std::filesystem::is_directory(directory, failed)) return;
  std::filesystem::path so_far;
  for (const auto& name : directory) {
    so_far /= name;
    if (!std::filesystem::is_directory(so_far, failed)) make_directory(so_far, 0777);
  }
}

unsigned long long free_bytes(const std::filesystem::path& path) {
  struct statvfs fs {};
  if (::statvfs(path.c_str(), &fs) != 0) throw_errno("cannot look at " + path.string());
  return static_cast<unsigned long long>(fs.f_bavail) * fs.f_frsize;
}

FileLock::FileLock(const std::filesystem::path& path, std::string_view holder, unsigned mode)
    : fd_(open_file(path, O_RDWR | O_CREAT, mode)) {
  // Who only asks whether it is held (locked.hpp) holds it for a moment, too.
  constexpr int tries = 6;
  int left = tries;
  while (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK && --left > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    if (errno != EWOULDBLOCK) throw_errno("cannot lock " + path.string());
    std::string who = read_file(path).value_or("");
    who = who.substr(0, who.find('\n'));
    throw Error(Exit::try_later, path.string() + " is held by " + (who.empty() ? "another process" : who) +
                                     "; wait until it ends, or stop it");
  }
  // The name is for people only, so a full disk does not stop the lock itself.
  const std::string line = "pid " + std::to_string(::getpid()) + " " + std::string(holder) + "\n";
  if (::ftruncate(fd_.get(), 0) == 0) [[maybe_unused]]
    const ssize_t ignored = ::pwrite(fd_.get(), line.data(), line.size(), 0);
}

}  // namespace base
