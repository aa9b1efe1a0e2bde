#include <poll.h>

#include "apply/source.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"
#include "base/watch.hpp"
#include "spool/reader.hpp"

namespace apply {
namespace {

class SpoolSource : public Source {
 public:
  explicit SpoolSource(const config::Settings& settings) : directory_(settings.spool.directory) {
    const std::optional<spool::Mark> mark = spool::read_mark(directory_);
    if (!mark)
      throw base::Error(base::Exit::data, "the spool " + directory_.string() + " is not founded; run `capture init`");
    source_ = mark->source;
    watch_.emplace(directory_);
  }

  std::optional<change::Source> named() override { return source_; }
  void rewind(const Position& at) override {
    take_up();
    reader_.emplace(directory_, at.lsn, at.end_lsn);
  }
  const change::Event* next(base::Arena& arena) override { return reader_->next(arena); }
  bool ready() const override { return true; }
  bool ended() const override { return false; }
  void wait(double seconds) override {
    pollfd fds[3] = {{base::stop_fd(), POLLIN, 0}, {abandon_fd(), POLLIN, 0}, {watch_->fd(), POLLIN, 0}};
    ::poll(fds, 3, static_cast<int>(seconds * 1000));
    watch_->drain();
  }
  uint64_t operations() const override { return reader_->operations(); }
  uint64_t operations_at_end() const override { return reader_->mark().operations; }
  change::Lsn covered() const override { return reader_->mark().lsn; }

 private:
  std::filesystem::path directory_;
  change::Source source_;
  std::optional<base::DirectoryWatch> watch_;
  std::optional<spool::Reader> reader_;
};

}  // namespace

std::unique_ptr<Source> from_spool(const config::Settings& settings) { return std::make_unique<SpoolSource>(settings); }

}  // namespace apply
