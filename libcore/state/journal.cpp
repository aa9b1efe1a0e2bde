#include "state/journal.hpp"

#include <fcntl.h>

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
  if (std::filesystem::file_size(file_) >= max_bytes_) {
    base::sync_data(fd_.get(), file_.string());
    std::filesystem::rename(file_, file_.string() + ".1");
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
