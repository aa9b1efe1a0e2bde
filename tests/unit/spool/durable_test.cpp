// The order of write, sync and publish, and what a power cut at any moment leaves.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "faults.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

bool is_segment(const std::string& path) { return has(path, "/segments/"); }
bool is_mark(const std::string& path) { return path.size() > 5 && path.compare(path.size() - 5, 5, "/mark") == 0; }

// Follows what is on the disk for sure, as a disk without power would have it, and checks every mark against it.
class Disk {
 public:
  explicit Disk(const Spool& s) : s_(s) {}

  long before(const faults::Call& call) {
    // A sync covers what was written before it began.
    if (call.kind == faults::Call::fdatasync) sizes_[call.path] = size(call.path);
    if (call.kind == faults::Call::fsync) names_ = listed();
    if (call.kind == faults::Call::pwrite && is_mark(call.path)) check(call.bytes);
    return 0;
  }
  void after(const faults::Call& call) {
    if (call.kind == faults::Call::fdatasync && is_segment(call.path)) synced_[call.path] = sizes_[call.path];
    if (call.kind == faults::Call::fdatasync && is_mark(call.path)) durable_mark_ = content(call.path);
    if (call.kind == faults::Call::fsync && has(call.path, "/segments")) synced_names_ = names_;
    if (call.kind == faults::Call::pwrite && is_mark(call.path) && ++published_ % 3 == 0) cut_power();
  }

  size_t published() const { return published_; }
  size_t wrong() const { return wrong_; }

  // A spool as a power cut at some moment left it, and what was published, so perhaps confirmed, at that moment.
  struct Image {
    std::map<std::string, std::string> files;  // by name
    std::string mark;
    uint64_t operations;
  };
  const std::vector<Image>& images() const { return images_; }

 private:
  static uint64_t size(const std::string& path) {
    struct stat file {};
    return ::stat(path.c_str(), &file) == 0 ? static_cast<uint64_t>(file.st_size) : 0;
  }
  std::set<std::string> listed() const {
    std::set<std::string> names;
    for (const spool::Segment& segment : s_.segments()) names.insert(segment.path.string());
    return names;
  }

  // No mark may name bytes, or a file, that a power cut could take.
  void check(const std::string& slot) {
    const nlohmann::json mark = nlohmann::json::parse(slot);
    operations_ = mark.at("operations");
    change::Lsn first;
    wrong_ += !spool::parse_segment_stem(mark.at("segment").get<std::string>(), first);
    if (first == change::Lsn{}) return;
    const std::string path =
        spool::segment_at(s_.directory(), first, s_.settings.synchronization.enable_compression).path.string();
    wrong_ += synced_[path] < mark.at("bytes").get<uint64_t>() || !synced_names_.contains(path);
  }

  // What was synced is there; of the rest any part may be, right or wrong.
  void cut_power() {
    Image image;
    image.operations = operations_;
    image.mark = random_() % 2 && !durable_mark_.empty() ? durable_mark_ : content(spool::mark_path(s_.directory()));
    for (const std::string& path : listed()) {
      if (!synced_names_.contains(path) && random_() % 2) continue;
      std::string bytes = content(path);
      const uint64_t sure = std::min<uint64_t>(synced_[path], bytes.size());
      bytes.resize(sure + random_() % (bytes.size() - sure + 1));
      if (bytes.size() > sure && random_() % 2) bytes[sure + random_() % (bytes.size() - sure)] = '\0';
      image.files[fs::path(path).filename().string()] = bytes;
    }
    images_.push_back(std::move(image));
  }

  const Spool& s_;
  std::map<std::string, uint64_t> sizes_;
  std::map<std::string, uint64_t> synced_;
  std::set<std::string> names_;
  std::set<std::string> synced_names_;
  std::string durable_mark_;
  uint64_t operations_ = 0;
  size_t published_ = 0;
  size_t wrong_ = 0;
  std::vector<Image> images_;
  std::mt19937 random_{20261124};
};

}  // namespace

TEST_CASE("no commit is published before its bytes and its file's name are synced, and no power cut loses one") {
  const bool compress = GENERATE(false, true);
  Spool s(compress);
  s.settings.spool.max_bytes = 1 << 20;  // segments of 128 KiB
  Disk disk(s);
  constexpr uint64_t count = 400;
  constexpr size_t row_bytes = 900;
  {
    const faults::Watch watch([&](const faults::Call& call) { return disk.before(call); },
                              [&](const faults::Call& call) { disk.after(call); });
    LivePut live(s.settings);
    live.write(source_line() + relation_line());
    for (uint64_t n = 1; n <= count; ++n) {
      live.write(transaction(n, 2, row_bytes));
      if (n % 7 == 0) live.write(keepalive_line(end_of(n)));
      if (n % 5 == 0) ::usleep(6000);
    }
    REQUIRE(live.finish() == "");
  }
  CHECK(disk.published() > 10);
  CHECK(disk.wrong() == 0);
  REQUIRE(s.segments().size() > 2);

  for (const Disk::Image& image : disk.images()) {
    INFO("compressed: " << compress << ", published: " << image.operations << "\n" << image.mark.substr(0, 1024));
    Spool after(compress);
    after.settings.spool.max_bytes = s.settings.spool.max_bytes;
    write(spool::mark_path(after.directory()), image.mark);
    for (const auto& [name, bytes] : image.files) write(spool::segments_path(after.directory()) / name, bytes);
    put(after, "");
    const Content now = read(after.directory());
    REQUIRE(now.error == "");
    REQUIRE(now.transactions.size() * 2 >= image.operations);
    REQUIRE(now.transactions == transactions(1, now.transactions.size(), 2, row_bytes));
    REQUIRE(spool::check(after.settings).findings.empty());
  }
}

TEST_CASE("a sync that fails is not tried again, and nothing after it is published") {
  const int bad_sync = GENERATE(1, 2, 3);
  const bool once = GENERATE(true, false);
  const Spool s;
  int syncs = 0;
  int marks_after = 0;
  bool failed = false;
  std::string error;
  {
    const faults::Watch watch([&](const faults::Call& call) -> long {
      if (call.kind == faults::Call::pwrite && is_mark(call.path)) marks_after += failed;
      if (call.kind == faults::Call::pwrite || (failed && once)) return 0;
      if (!failed && ++syncs < bad_sync) return 0;
      failed = true;
      return -EIO;
    });
    LivePut live(s.settings);
    live.write(source_line() + relation_line());
    for (uint64_t n = 1; n <= 20 && !live.ended(); ++n) {
      live.write(transaction(n));
      ::usleep(8000);
    }
    error = live.finish();
  }
  CHECK(has(error, "cannot sync"));
  CHECK(marks_after == 0);
  const uint64_t before = s.mark().transactions;
  CHECK(before < 20);
  CHECK(read(s.directory()).transactions == transactions(1, before));
  put(s, stream(before + 1, 25));
  CHECK(read(s.directory()).transactions == transactions(1, 25));
}

TEST_CASE("a full disk is waited for, with one warning, and no byte is lost or doubled") {
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  const Log log;
  int refused = 0;
  {
    const faults::Watch watch([&](const faults::Call& call) -> long {
      if (call.kind != faults::Call::pwrite || !is_segment(call.path)) return 0;
      if (refused == 0 && call.bytes.size() > 700) {
        ++refused;
        return 700;  // the disk is full in the middle of it
      }
      if (refused > 0 && refused < 5) return ++refused, refused % 2 ? -ENOSPC : -EDQUOT;
      return 0;
    });
    CHECK(put(s, stream(1, 40)).transactions == 40);
  }
  CHECK(refused == 5);
  CHECK(log.count(base::Level::warn, "the disk is full") == 1);
  CHECK(log.count(base::Level::info, "there is room") == 1);
  CHECK(read(s.directory()).transactions == transactions(1, 40));
  CHECK(spool::check(s.settings).findings.empty());
}

TEST_CASE("a write that fails otherwise ends put; the next one mends what it left") {
  const bool compress = GENERATE(false, true);
  const Spool s(compress);
  put(s, stream(1, 3));
  {
    const faults::Watch watch([&](const faults::Call& call) -> long {
      if (call.kind != faults::Call::pwrite || !is_segment(call.path)) return 0;
      return call.bytes.size() > 100 ? 100 : -EIO;
    });
    CHECK(has(error_of(base::Exit::io, [&] { put(s, stream(4, 6)); }), "cannot write"));
  }
  CHECK(read(s.directory()).transactions == transactions(1, 3));
  put(s, stream(4, 6));
  CHECK(read(s.directory()).transactions == transactions(1, 6));
}
