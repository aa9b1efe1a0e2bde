#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <fstream>

#include "base/arena.hpp"
#include "base/error.hpp"

namespace {

namespace fs = std::filesystem;

// A directory that goes with the test.
struct Directory {
  fs::path path;
  Directory() {
    std::string form = (fs::temp_directory_path() / "pgtandem-test-XXXXXX").string();
    REQUIRE(::mkdtemp(form.data()) != nullptr);
    path = form;
  }
  ~Directory() { fs::remove_all(path); }
};

template <class Call>
base::Exit kind_of(Call call, std::string* message = nullptr) {
  try {
    call();
  } catch (const base::Error& error) {
    if (message != nullptr) *message = error.what();
    return error.kind();
  }
  return base::Exit::done;
}

}  // namespace

TEST_CASE("errno becomes the exit code that the man pages tell") {
  const auto kind = [](int code) {
    return kind_of([code] {
      errno = code;
      base::throw_errno("cannot write x");
    });
  };
  CHECK(kind(ENOSPC) == base::Exit::cannot_create);
  CHECK(kind(EDQUOT) == base::Exit::cannot_create);
  CHECK(kind(EROFS) == base::Exit::cannot_create);
  CHECK(kind(EACCES) == base::Exit::no_right);
  CHECK(kind(EPERM) == base::Exit::no_right);
  CHECK(kind(EIO) == base::Exit::io);
}

TEST_CASE("a file is replaced as one step") {
  Directory directory;
  const fs::path file = directory.path / "mark";
  CHECK_FALSE(base::read_file(file).has_value());
  base::replace_file(file, "one", base::Durable::yes);
  CHECK(base::read_file(file) == "one");
  const base::Fd before = base::open_file(file, O_RDONLY);
  base::replace_file(file, std::string(100000, 'x'), base::Durable::no);
  CHECK(base::read_file(file)->size() == 100000);
  char old[8];
  CHECK(base::read_some(before.get(), old, sizeof old, "mark") == 3);  // who has the old one open keeps it whole
  CHECK(std::distance(fs::directory_iterator(directory.path), {}) == 1);
}

TEST_CASE("what cannot be opened is named") {
  std::string message;
  CHECK(kind_of([] { base::open_file("/nonexistent/x", O_RDONLY); }, &message) == base::Exit::io);
  CHECK(message == "cannot open /nonexistent/x: No such file or directory");
  Directory directory;
  std::ofstream(directory.path / "file") << "x";
  CHECK(kind_of([&] { base::make_directories(directory.path / "file" / "below"); }, &message) == base::Exit::io);
  CHECK(message.find("cannot create") == 0);
  base::make_directories(directory.path / "a" / "b");
  base::make_directories(directory.path / "a" / "b");
  CHECK(fs::is_directory(directory.path / "a" / "b"));
}

TEST_CASE("descriptors are closed once, and moved") {
  Directory directory;
  base::Fd a = base::open_file(directory.path / "f", O_RDWR | O_CREAT);
  const int number = a.get();
  base::Fd b = std::move(a);
  CHECK(b.get() == number);
  base::Fd c;
  c = std::move(b);
  CHECK(c.get() == number);
  CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
  c.reset();
  CHECK(::fcntl(number, F_GETFD) == -1);
}

TEST_CASE("bytes are written where they belong") {
  Directory directory;
  const fs::path path = directory.path / "f";
  const base::Fd fd = base::open_file(path, O_RDWR | O_CREAT);
  base::write_all(fd.get(), "hello world", path.string());
  base::pwrite_all(fd.get(), "W", 6, path.string());
  base::sync_data(fd.get(), path.string());
  base::sync_directory(directory.path);
  CHECK(base::read_file(path) == "hello World");
  CHECK(base::free_bytes(directory.path) > 0);
}

TEST_CASE("a lock keeps a second holder out and names the first") {
  Directory directory;
  const fs::path path = directory.path / "lock";
  {
    const base::FileLock lock(path, "queue put");
    std::string message;
    CHECK(kind_of([&] { base::FileLock(path, "queue put"); }, &message) == base::Exit::try_later);
    CHECK(message == path.string() + " is held by pid " + std::to_string(::getpid()) +
                         " queue put; wait until it ends, or stop it");
  }
  CHECK(kind_of([&] { base::FileLock(path, "queue put"); }) == base::Exit::done);
}

TEST_CASE("a lock goes with the process that held it, however it dies") {
  Directory directory;
  const fs::path path = directory.path / "lock";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const base::FileLock lock(path, "apply");
    [[maybe_unused]] const ssize_t told = ::write(ready[1], "r", 1);
    ::pause();
    ::_exit(0);
  }
  char told = 0;
  REQUIRE(::read(ready[0], &told, 1) == 1);
  CHECK(kind_of([&] { base::FileLock(path, "apply"); }) == base::Exit::try_later);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(kind_of([&] { base::FileLock(path, "apply"); }) == base::Exit::done);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("an arena keeps bytes until it is reset") {
  base::Arena arena;
  const char* a = arena.copy("hello");
  const int* numbers = arena.array<int>(100000);
  char* room = arena.room(1 << 20);
  room[0] = 'r';
  room[(1 << 20) - 1] = 'm';
  arena.take(1);
  const char* b = arena.copy("world");
  CHECK(std::string_view(a, 5) == "hello");
  CHECK(std::string_view(b, 5) == "world");
  CHECK(room[0] == 'r');
  CHECK(b == room + 8);  // what was not taken is still free
  CHECK(numbers[99999] == 0);
  CHECK(reinterpret_cast<uintptr_t>(b) % 8 == 0);
  CHECK(arena.used() == 8 + 400000 + 8 + 8);
  arena.reset();
  CHECK(arena.used() == 0);
  CHECK(arena.copy("") != nullptr);
}
