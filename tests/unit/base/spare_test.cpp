// Records on a disk that is full: written all the same, again and again, and whole.
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/spare.hpp"

namespace {

// A disk of 256 KiB; nothing where this user may not mount one.
class SmallDisk {
 public:
  SmallDisk() {
    char name[] = "/tmp/pgtandem-spare-XXXXXX";
    path_ = ::mkdtemp(name);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=256k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    std::filesystem::remove_all(path_);
  }
  bool mounted() const { return mounted_; }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }
  void fill() const {
    std::ofstream filler(path_ / "filler", std::ios::binary);
    for (int i = 0; i < 300 && filler.flush(); ++i) filler << std::string(1024, 'x');
  }

 private:
  std::filesystem::path path_;
  bool mounted_ = false;
};

std::string without_blanks(const std::filesystem::path& path) {
  std::string text = base::read_file(path).value_or("");
  return text.erase(text.find_last_not_of(' ') + 1);
}

}  // namespace

TEST_CASE("a record is written when the disk is full, and again, and when there is room without blanks") {
  const SmallDisk disk;
  if (!disk.mounted()) {
    WARN("no tmpfs may be mounted here: a full disk is not tried");
    return;
  }
  const std::filesystem::path record = disk / "record.json";
  base::replace_spared(record, "{}\n", base::Durable::no);
  CHECK(base::read_file(record) == "{}\n");
  disk.fill();
  CHECK_THROWS_AS(base::replace_file(disk / "other", "[]\n", base::Durable::no), base::Error);
  for (int i = 0; i < 5; ++i) {
    const std::string text = std::string(static_cast<size_t>(500 + i), static_cast<char>('a' + i)) + "\n";
    base::replace_spared(record, text, i % 2 == 0 ? base::Durable::no : base::Durable::yes);
    CHECK(without_blanks(record) == text);
  }
  std::filesystem::remove(disk / "filler");
  base::replace_spared(record, "{}\n", base::Durable::no);
  CHECK(base::read_file(record) == "{}\n");
}

TEST_CASE("what no spare lies beside fails on a full disk as ever") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  disk.fill();
  CHECK_THROWS_AS(base::replace_spared(disk / "record.json", "{}\n", base::Durable::no), base::Error);
}
