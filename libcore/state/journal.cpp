#include "state/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "base/error.hpp"

namespace state {
namespace {
constexpr size_t write_at = 256 << 10;   // bytes held back
constexpr unsigned private_file = 0600;  // rows may be in there
constexpr int append = O_WRONLY | O_CREAT | O_APPEND;
}  // namespace

void Journal::add(std::string_view line) {
  waiting_.append(line) += '\n';
  if (waiting_.size() >= write_at) write();
}

void Journal::write() {
  if (waiting_.empty()) return;
  if (!fd_) {
    base::make_directories(file_.parent_path());
    fd_ = base::open_file(file_, append, private_file);
    base::sync_directory(file_.parent_path());
  }
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) base::throw_errno("cannot look at " + file_.string());
  // Full, or taken away under our eyes (by logrotate, say).
  const bool full = static_cast<uint64_t>(now.st_size) >= max_bytes_;
  if (full) {
    base::sync_data(fd_.get(), file_.string());
    if (::rename(file_.c_str(), (file_.string() + ".1").c_str()) != 0 && errno != ENOENT)
      base::throw_errno("cannot rename " + file_.string());
  }
  if (full || now.st_nlink == 0) {
    fd_ = base::open_file(file_, append, private_file);
    base::sync_directory(file_.parent_path());
  }
  base::write_all(fd_.get(), waiting_, file_.string());
  waiting_.clear();
  unsynced_ = true;
}

void Journal::sync() {
  write();
  if (unsynced_) base::sync_data(fd_.get(), file_.string());
  unsynced_ = false;
}

}  // namespace state
