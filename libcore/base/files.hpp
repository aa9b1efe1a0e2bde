// Files and directories made durable, and file locks. Owns descriptors and the order write, sync, rename, sync;
// knows nothing of what the bytes mean. Any floor may call it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// An owned file descriptor; -1 is none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  int release();
  void reset();
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC; throws Error naming the path. What root makes by it, as by all below, goes to the owner of
// the directory: the services run as that user, who could not write it again.
Fd open_file(const std::filesystem::path& path, int flags, unsigned mode = 0644);

// All of the bytes, or an Error.
void write_all(int fd, std::string_view bytes, const std::string& what);
void pwrite_all(int fd, std::string_view bytes, long offset, const std::string& what);

// Up to `size` bytes; 0 at the end of the file. Repeats on EINTR.
size_t read_some(int fd, char* to, size_t size, const std::string& what);

// The whole file, or nothing if it does not exist.
std::optional<std::string> read_file(const std::filesystem::path& path);

// Data (and size) of the file, or the entries of the directory, on stable storage when it returns.
void sync_data(int fd, const std::string& what);
void sync_directory(const std::filesystem::path& directory);

// Replaces the file as one step: written aside, renamed. `durable` also syncs file and directory, so that it outlives
// a power cut; without it a crash of the machine may bring the old content back.
enum class Durable { no, yes };
void replace_file(const std::filesystem::path& path, std::string_view content, Durable durable, unsigned mode = 0644);

// What was made at `path` just now, by us, goes to the owner of its directory where root made it. For what is opened
// otherwise than by open_file().
void give_to_owner(int made, const std::filesystem::path& path);

// Creates the directory, or it and its parents, unless it is there; throws Error naming what cannot be created.
void make_directory(const std::filesystem::path& directory, unsigned mode);
void make_directories(const std::filesystem::path& directory);

// Bytes free for us on the file system of `path`.
unsigned long long free_bytes(const std::filesystem::path& path);

// An exclusive flock(2), held as long as the object lives; the kernel lets go when the process dies, however it dies.
// The file names the holder, for people: "pid 4711 queue put".
class FileLock {
 public:
  // Throws Error(try_later) naming the holder when another process has it.
  FileLock(const std::filesystem::path& path, std::string_view holder, unsigned mode = 0644);

 private:
  Fd fd_;
};

}  // namespace base
