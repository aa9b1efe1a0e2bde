// A spool in a folder that is gone after the test, streams to put into it, and what comes out again.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "change/writer.hpp"
#include "config/settings.hpp"
#include "spool/check.hpp"
#include "spool/cursor.hpp"
#include "spool/layout.hpp"
#include "spool/mark.hpp"
#include "spool/put.hpp"
#include "spool/reader.hpp"

namespace sample {
namespace fs = std::filesystem;

inline const change::Source source{"7314159265358979323", 1, "pgtandem_backup_node", {0x1000000}};

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "pgtandem_spool_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline config::Settings settings_for(const fs::path& spool, bool compress = false) {
  config::Settings settings;
  settings.local_node = "backup";
  settings.nodes["primary"] = {.name = "primary", .role = config::Role::primary, .database_url = {}, .host = {}};
  settings.nodes["backup"] = {.name = "backup", .role = config::Role::secondary, .database_url = {}, .host = {}};
  settings.synchronization.enable_compression = compress;
  settings.synchronization.sync_interval = 0.02;
  settings.spool.directory = spool;
  return settings;
}

// A founded spool.
struct Spool {
  explicit Spool(bool compress = false) : settings(settings_for(folder.path() / "spool", compress)) {
    spool::found(directory(), source);
  }
  const fs::path& directory() const { return settings.spool.directory; }
  spool::Mark mark() const { return spool::require_mark(directory()); }
  std::vector<spool::Segment> segments() const { return spool::list_segments(directory()); }

  Folder folder;
  config::Settings settings;
};

inline std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
// A new file each time: ext4 flushes one that is cut to nothing and written again, and that takes its time.
inline void write(const fs::path& file, const std::string& bytes) {
  fs::remove(file);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

// Lines of the change format. Transaction n commits at lsn_of(n), with `rows` inserts of about `row_bytes` each.
inline change::Lsn lsn_of(uint64_t n) { return {0x1000000 + n * 0x1000}; }
inline change::Lsn end_of(uint64_t n) { return {lsn_of(n).value + 0x30}; }
inline int64_t time_of(uint64_t n) { return 1795000000000000 + static_cast<int64_t>(n) * 1000000; }

inline std::string source_line(change::Lsn start = source.created) {
  std::string out;
  change::append_source(out, source, start);
  return out;
}
inline const change::Relation& images() {
  static const change::Relation relation{{"public", "images"},
                                         "public.images",
                                         {{"id", "integer", change::JsonKind::number}, {"url", "text"}},
                                         {0},
                                         change::Identity::primary_key};
  return relation;
}
inline std::string relation_line() {
  std::string out;
  change::append_relation(out, images());
  return out;
}
inline std::string begin_line(uint64_t n) {
  std::string out;
  change::append_begin(out, lsn_of(n), static_cast<uint32_t>(700 + n), time_of(n));
  return out;
}
inline std::string row_line(uint64_t n, uint64_t row, size_t row_bytes = 0) {
  const std::string id = std::to_string(n * 1000 + row);
  std::string url = "https://example.com/" + id + "?\"quoted\"&é";
  for (uint64_t noise = n * 1000003 + row; url.size() < row_bytes; noise = noise * 6364136223846793005 + 1)
    url += static_cast<char>('A' + (noise >> 33) % 58 % 26);  // hardly to be compressed
  const change::Value values[] = {change::Value::of(id), change::Value::of(url)};
  std::string out;
  change::append_insert(out, images(), std::span(values).first(1), values);
  return out;
}
inline std::string commit_line(uint64_t n, uint64_t rows) {
  std::string out;
  change::append_commit(out, lsn_of(n), end_of(n), rows);
  return out;
}
inline std::string transaction(uint64_t n, uint64_t rows = 2, size_t row_bytes = 0) {
  std::string out = begin_line(n);
  for (uint64_t row = 0; row < rows; ++row) out += row_line(n, row, row_bytes);
  return out + commit_line(n, rows);
}
inline std::string keepalive_line(change::Lsn lsn) {
  std::string out;
  change::append_keepalive(out, lsn, time_of(0));
  return out;
}
// Transactions first to last, with what a stream begins with.
inline std::string stream(uint64_t first, uint64_t last, uint64_t rows = 2, size_t row_bytes = 0) {
  std::string out = source_line(first == 1 ? source.created : end_of(first - 1)) + relation_line();
  for (uint64_t n = first; n <= last; ++n) out += transaction(n, rows, row_bytes);
  return out;
}

// What library code logs while this lives.
class Log {
 public:
  Log() {
    base::set_log_listener([this](base::Level level, std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back({level, std::string(line)});
    });
  }
  ~Log() { base::set_log_listener({}); }
  // Lines of that level with `part` in them.
  size_t count(base::Level level, const std::string& part) const {
    const std::lock_guard lock(mutex_);
    size_t found = 0;
    for (const auto& [l, line] : lines_) found += l == level && line.find(part) != std::string::npos;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<base::Level, std::string>> lines_;
};

// put() of the bytes, from a file: every read finds more until the end.
inline spool::PutResult put(const Spool& to, const std::string& bytes) {
  const fs::path file = to.folder.path() / "stdin";
  write(file, bytes);
  const base::Fd fd = base::open_file(file, O_RDONLY);
  return spool::put(fd.get(), to.settings);
}

// put() in a thread, fed through a pipe.
class LivePut {
 public:
  explicit LivePut(const config::Settings& settings) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    in_ = base::Fd(ends[0]);
    out_ = base::Fd(ends[1]);
    thread_ = std::thread([this, &settings] {
      try {
        result_ = spool::put(in_.get(), settings);
      } catch (const base::Error& e) {
        error_ = e.what();
      }
      ended_ = true;
      in_.reset();
    });
  }
  ~LivePut() {
    out_.reset();
    if (thread_.joinable()) thread_.join();
  }
  void write(const std::string& bytes) { base::write_all(out_.get(), bytes, "the pipe"); }
  bool ended() const { return ended_; }
  // Closes the input and waits; the error's text, or nothing.
  std::string finish() {
    out_.reset();
    thread_.join();
    return error_;
  }
  const spool::PutResult& result() const { return result_; }

 private:
  base::Fd in_;
  base::Fd out_;
  std::thread thread_;
  std::atomic<bool> ended_{false};
  spool::PutResult result_;
  std::string error_;
};

// Until `ready` or ten seconds are over; whether it was.
inline bool eventually(const std::function<bool()>& ready) {
  for (int i = 0; i < 2000; ++i) {
    if (ready()) return true;
    ::usleep(5000);
  }
  return ready();
}

// Whole transactions as their lines, and what ended it.
struct Content {
  std::vector<std::string> transactions;
  std::string error;
};
inline Content read(const fs::path& directory, change::Lsn after = {}, change::Lsn covered = {UINT64_MAX}) {
  Content read;
  try {
    spool::Reader reader(directory, after, covered);
    base::Arena arena;
    std::string open;
    while (const change::Event* event = reader.next(arena)) {
      if (event->type == change::EventType::relation) continue;
      if (event->type == change::EventType::begin) open.clear();
      open += reader.line();
      if (event->type == change::EventType::commit) read.transactions.push_back(open);
      arena.reset();
    }
  } catch (const base::Error& error) {
    read.error = error.what();
  }
  return read;
}
inline std::vector<std::string> transactions(uint64_t first, uint64_t last, uint64_t rows = 2, size_t row_bytes = 0) {
  std::vector<std::string> out;
  for (uint64_t n = first; n <= last; ++n) out.push_back(transaction(n, rows, row_bytes));
  return out;
}

// The error's text; "" when there was none, "?" when it was of another kind.
inline std::string error_of(base::Exit kind, const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.kind() == kind ? error.what() : "? " + std::string(error.what());
  }
  return "";
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace sample
