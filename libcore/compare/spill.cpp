#include "compare/spill.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/error.hpp"

namespace compare {
namespace {

base::Fd nameless_file() {
  std::error_code missing;
  const std::filesystem::path directory = std::filesystem::temp_directory_path(missing);
  std::string path = directory / "pgtandem.XXXXXX";
  const int fd = missing ? -1 : ::mkostemp(path.data(), O_CLOEXEC);
  if (missing) errno = missing.value();
  if (fd < 0)
    base::throw_errno("cannot create a file for what waits to be compared; set TMPDIR to a directory with room");
  ::unlink(path.c_str());
  return base::Fd(fd);
}

}  // namespace

void Spill::add(size_t part, std::string_view record) {
  parts_[part].waiting += record;
  waiting_ += record.size();
  if (waiting_ > memory_) write_out();
}

void Spill::write_out() {
  if (!file_) file_ = nameless_file();
  for (Part& part : parts_) {
    if (part.waiting.empty()) continue;
    base::pwrite_all(file_.get(), part.waiting, static_cast<long>(file_size_), "what waits to be compared");
    part.pieces.push_back({file_size_, part.waiting.size()});
    file_size_ += part.waiting.size();
    part.waiting = std::string();  // and its memory
  }
  waiting_ = 0;
}

void Spill::drop(size_t part) {
  waiting_ -= parts_[part].waiting.size();
  parts_[part] = {};
}

void Spill::read(size_t part, const std::function<void(std::string_view)>& take) {
  std::string bytes;
  for (const Piece& piece : parts_[part].pieces) {
    bytes.resize(piece.size);
    for (size_t done = 0; done < piece.size;) {
      const ssize_t n =
          ::pread(file_.get(), bytes.data() + done, piece.size - done, static_cast<off_t>(piece.begin + done));
      if (n <= 0) base::throw_errno("cannot read back what waits to be compared");
      done += static_cast<size_t>(n);
    }
    take(bytes);
  }
  take(parts_[part].waiting);
}

}  // namespace compare
