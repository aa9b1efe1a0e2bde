#include <poll.h>

#include <algorithm>
#include <optional>

#include "apply/source.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/lines.hpp"
#include "base/stop.hpp"
#include "change/reader.hpp"

namespace apply {
namespace {

class StdinSource : public Source {
 public:
  StdinSource(int fd, const std::string& name)
      : name_(name),
        fd_(fd),
        reader_(name),
        lines_([this](char* to, size_t size) { return read(to, size); }, change::max_line, name) {}

  // The first line tells.
  std::optional<change::Source> named() override {
    std::string_view line;
    if (first_.empty() && lines_.next(line)) first_.assign(line).append(64, '\0');  // the reader looks 64 bytes ahead
    if (first_.empty()) return std::nullopt;
    base::Arena arena;
    change::Reader peek(name_);
    const change::Event& event = peek.read(std::string_view(first_).substr(0, first_.size() - 64), 1, arena);
    if (event.type != change::EventType::source) return std::nullopt;
    start_ = event.lsn;
    cut_ = event.cut;
    return event.source;
  }

  std::optional<change::Lsn> cut() override {
    named();
    return cut_;
  }

  void rewind(const Position& at) override {
    if (began_)
      throw base::Error(base::Exit::data,
                        name_ + ": a transaction too large to be kept in memory failed, and stdin cannot " +
                            "be read again; put it into the spool (queue put) and apply from there");
    if (start_ > at.end_lsn)
      throw base::Error(base::Exit::data, name_ + ": the stream starts at " + start_.text() +
                                              ", but the standby is at " + at.end_lsn.text() +
                                              ": what lies between is missing; start it earlier");
    after_ = at.lsn;
    began_ = true;
  }

  const change::Event* next(base::Arena& arena) override {
    for (;;) {
      std::string_view line;
      if (!first_.empty() && lines_.line_number() == 1 && !first_given_) {
        first_given_ = true;
        line = std::string_view(first_).substr(0, first_.size() - 64);
      } else if (!lines_.next(line)) {
        return nullptr;
      }
      const change::Event& event = reader_.read(line, lines_.line_number(), arena);
      switch (event.type) {
        case change::EventType::begin:
          skipping_ = event.lsn <= after_;
          ordinal_ = 0;
          break;
        case change::EventType::commit:
          covered_ = std::max(covered_, event.end_lsn);
          if (!skipping_) operations_ += ordinal_;
          break;
        case change::EventType::keepalive:
          covered_ = std::max(covered_, event.lsn);
          break;
        default:
          ordinal_ = std::max(ordinal_, event.ordinal);
      }
      const bool of_transaction = event.type != change::EventType::source && event.type != change::EventType::relation;
      if (skipping_ && of_transaction && event.type != change::EventType::keepalive) continue;
      return &event;
    }
  }

  bool ready() const override {
    pollfd fd{fd_, POLLIN, 0};
    return ended_ || lines_.ready() || ::poll(&fd, 1, 0) > 0;
  }
  bool ended() const override { return ended_; }
  void wait(double) override {}  // reading waits already
  uint64_t operations() const override { return operations_; }
  uint64_t operations_at_end() const override { return operations_; }
  change::Lsn covered() const override { return covered_; }

 private:
  size_t read(char* to, size_t size) {
    pollfd fds[3] = {{fd_, POLLIN, 0}, {base::stop_fd(), POLLIN, 0}, {abandon_fd(), POLLIN, 0}};
    if (!ended_) ::poll(fds, 3, -1);
    ended_ = ended_ || base::stop_requested() || abandoned();
    const size_t n = ended_ ? 0 : base::read_some(fd_, to, size, name_);
    ended_ = ended_ || n == 0;
    if (ended_ && lines_.partial() > 0 && !base::stop_requested() && !abandoned())
      throw base::Error(base::Exit::data, name_ + ":" + std::to_string(lines_.line_number() + 1) +
                                              ": the last line has no end; nothing of its transaction is applied");
    return n;
  }

  std::string name_;
  int fd_;
  change::Reader reader_;
  base::LineBuffer lines_;
  std::string first_;
  bool first_given_ = false;
  bool began_ = false;
  bool ended_ = false;
  bool skipping_ = false;
  change::Lsn start_;
  std::optional<change::Lsn> cut_;
  change::Lsn after_;
  change::Lsn covered_;
  uint64_t ordinal_ = 0;
  uint64_t operations_ = 0;
};

}  // namespace

std::unique_ptr<Source> from_descriptor(int fd, const std::string& name) {
  return std::make_unique<StdinSource>(fd, name);
}

}  // namespace apply
