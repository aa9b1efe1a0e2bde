#include "spool/get.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/stop.hpp"
#include "base/watch.hpp"
#include "change/writer.hpp"
#include "spool/reader.hpp"

namespace spool {
namespace {

// Gathers lines for large writes; a pause flushes them.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  std::string& lines() { return lines_; }
  void flush() {
    base::write_all(fd_, lines_, "standard output");
    lines_.clear();
  }
  void relieve() {
    if (lines_.size() >= (256 << 10)) flush();  // as much as pays for a system call
  }

 private:
  int fd_;
  std::string lines_;
};

class Get {
 public:
  Get(const std::filesystem::path& spool, const GetOptions& options, int output)
      : options_(options),
        watch_(spool),  // before the first look, so that no change falls between look and wait
        reader_(spool, after(), covered(spool)),
        output_(output) {}

  void run() {
    for (;;) {
      arena_.reset();
      const change::Event* event = reader_.next(arena_);
      if (event != nullptr && event->type == change::EventType::begin) {
        if (options_.to && event->lsn > *options_.to) break;
        head();
      }
      if (event != nullptr) {
        take(*event);
        output_.relieve();
        if (base::stop_requested()) return;
        continue;
      }
      head();
      output_.flush();
      if (!options_.follow || base::stop_requested() || (options_.to && reader_.mark().lsn > *options_.to)) return;
      watch_.wait(options_.sync_interval);
    }
    head();
    output_.flush();
  }

 private:
  change::Lsn after() const { return {options_.from && options_.from->value > 0 ? options_.from->value - 1 : 0}; }
  // Someone who names a place wants all from there on; who names none wants what there is. What lies before the slot's
  // own beginning was never to be had.
  change::Lsn covered(const std::filesystem::path& spool) const {
    if (!options_.from) return {UINT64_MAX};
    return std::max(after(), require_mark(spool).source.created);
  }

  // The source line, once it is known where the stream really starts.
  void head() {
    if (has_head_) return;
    has_head_ = true;
    change::append_source(output_.lines(), reader_.mark().source, reader_.position());
  }

  void take(const change::Event& event) {
    if (event.type == change::EventType::relation) return;  // repeated below where a row needs it
    if (event.relation != nullptr) {
      const change::Relation*& told = told_[event.relation->text];
      if (told != event.relation) change::append_relation(output_.lines(), *event.relation);
      told = event.relation;
    }
    output_.lines() += reader_.line();
  }

  const GetOptions& options_;
  base::DirectoryWatch watch_;
  Reader reader_;
  base::Arena arena_;
  Output output_;
  bool has_head_ = false;
  std::unordered_map<std::string, const change::Relation*> told_;
};

}  // namespace

void get(const std::filesystem::path& spool, const GetOptions& options, int output) {
  require_mark(spool);
  try {
    Get(spool, options, output).run();
  } catch (const base::PipeClosed&) {
    // the reader has seen enough
  }
}

}  // namespace spool
