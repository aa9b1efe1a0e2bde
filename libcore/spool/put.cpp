#include "spool/put.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/lines.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "change/reader.hpp"
#include "spool/layout.hpp"
#include "spool/publisher.hpp"
#include "spool/recover.hpp"

namespace spool {
namespace {

class Put {
 public:
  Put(int input, const config::Settings& settings);
  PutResult run();

 private:
  size_t fill(char* to, size_t size);
  bool take_lines();
  bool take(std::string_view line);
  void check_source(const change::Event& source);
  bool begin(const change::Event& begin, std::string_view line);
  void say_repeated();
  void wait_for_input();
  SegmentWriter& writer() { return publisher_.writer(); }

  const int input_;
  const base::FileLock lock_;
  const Mark start_;
  Publisher publisher_;
  base::LineBuffer lines_;
  change::Reader parser_{"stdin"};
  base::Arena arena_;
  bool ended_ = false;
  bool has_source_ = false;
  bool skipping_ = false;  // inside a transaction that the spool has
  uint64_t repeated_ = 0;
  uint64_t repeated_said_ = 0;
};

Put::Put(int input, const config::Settings& settings)
    : input_(input),
      lock_(lock_path(settings.spool.directory), "queue put", private_file),
      start_(repair_end(settings.spool.directory)),
      publisher_(settings, start_),
      lines_([this](char* to, size_t size) { return fill(to, size); }, change::max_line, "stdin") {
  ::fcntl(input_, F_SETPIPE_SZ, 1 << 20);  // fewer switches between two programs; where it is no pipe, no matter
}

// Reads only what is there, so that a pause of the input is seen.
size_t Put::fill(char* to, size_t size) {
  pollfd ready{input_, POLLIN, 0};
  if (ended_ || ::poll(&ready, 1, 0) <= 0) return 0;
  const size_t n = base::read_some(input_, to, size, "standard input");
  ended_ = n == 0;
  return n;
}

PutResult Put::run() {
  try {
    while (take_lines() && publisher_.hand_over() && !ended_) wait_for_input();
    if (ended_ && lines_.partial() > 0)
      base::log(base::Level::info,
                "the input ended in the middle of a line; the transaction it belongs to is left out");
  } catch (const base::Error& error) {
    // A bad line ends the stream, not what came whole before it. After a failed disk nothing is worth another try.
    if (error.kind() == base::Exit::data) publisher_.finish();
    throw;
  }
  const Mark& end = publisher_.finish();
  say_repeated();
  return {end.transactions - start_.transactions, end.operations - start_.operations, repeated_};
}

// Everything that is there to be read. False when a stop was requested.
bool Put::take_lines() {
  std::string_view line;
  while (!base::stop_requested() && lines_.next(line))
    if (!take(line) || !publisher_.relieve()) return false;
  return !base::stop_requested();
}

bool Put::take(std::string_view line) {
  using change::EventType;
  arena_.reset();
  const change::Event& event = parser_.read(line, lines_.line_number(), arena_);
  if (!has_source_ && event.type != EventType::source)
    throw base::Error(base::Exit::data,
                      "stdin:1:1: a stream begins with its source line, as `pgtandem capture` has it");
  switch (event.type) {
    case EventType::source:
      check_source(event);
      return true;
    case EventType::keepalive:
      publisher_.keepalive(event.lsn);
      return true;
    case EventType::begin:
      return begin(event, line);
    case EventType::relation:
      if (writer().in_transaction())
        writer().relation(*event.relation, line);
      else
        writer().shapes_changed();
      return true;
    case EventType::commit:
      if (std::exchange(skipping_, false)) return true;
      writer().commit(event, line);
      return publisher_.hand_over();
    default:
      if (!skipping_) writer().change(line);
      return true;
  }
}

// First, and wherever the stream starts again: a transaction open there is void and will come again.
void Put::check_source(const change::Event& event) {
  if (event.cut)
    throw base::Error(base::Exit::data, "stdin:" + std::to_string(lines_.line_number()) +
                                            ":1: a comparison's stream, whose rows are true at its cut only; give it "
                                            "to `pgtandem apply -`");
  const auto described = [](const change::Source& source) {
    return source.id() + " (timeline " + std::to_string(source.timeline) + ")";
  };
  const std::string at = "stdin:" + std::to_string(lines_.line_number()) + ":1: ";
  if (event.source != start_.source)
    throw base::Error(base::Exit::data, at + "the stream comes from " + described(event.source) + ", the spool from " +
                                            described(start_.source) + "; use it up with `pgtandem apply`, then " +
                                            link_anew);
  if (event.lsn > publisher_.end())
    throw base::Error(base::Exit::data, at + "the stream begins after " + event.lsn.text() + ", the spool ends at " +
                                            publisher_.end().text() +
                                            ": what was committed in between is missing; capture it again from there, "
                                            "or, where the slot has moved on, " +
                                            link_anew);
  writer().cut();
  skipping_ = false;
  has_source_ = true;
}

bool Put::begin(const change::Event& event, std::string_view line) {
  skipping_ = event.lsn <= writer().accepted().commit_lsn;
  repeated_ += skipping_;
  if (skipping_) return true;
  say_repeated();
  if (!publisher_.admit()) return false;
  writer().begin(event, line, parser_);
  return true;
}

void Put::say_repeated() {
  if (repeated_ == repeated_said_) return;
  base::log(base::Level::info, std::to_string(repeated_ - repeated_said_) +
                                   " transactions came again and are left out; the spool has all up to " +
                                   writer().accepted().commit_lsn.text());
  repeated_said_ = repeated_;
}

void Put::wait_for_input() {
  pollfd fds[] = {{input_, POLLIN, 0}, {base::stop_fd(), POLLIN, 0}, {publisher_.fd(), POLLIN, 0}};
  const double due = publisher_.next_due();
  ::poll(fds, std::size(fds), due < 0 ? -1 : static_cast<int>(due * 1000) + 1);
}

}  // namespace

PutResult put(int input, const config::Settings& settings) {
  const std::filesystem::path& spool = settings.spool.directory;
  if (::access(mark_path(spool).c_str(), F_OK) != 0) require_mark(spool);
  return Put(input, settings).run();
}

}  // namespace spool
