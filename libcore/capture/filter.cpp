#include "capture/filter.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include "base/child.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"

namespace capture {
namespace {

using base::ChildEnd;
using base::Error;
using base::Exit;

constexpr size_t most = 4 << 20;     // bytes of the stream that one run gets: bounds memory, some ten thousand rows
constexpr double gather_for = 0.05;  // s that changes wait for more: a start costs some milliseconds of a core
constexpr size_t log_line = 400;     // bytes of a line of its stderr that are repeated
constexpr const char* setting = "filters.program";

std::string name_of(const std::vector<std::string>& argv) { return std::string(setting) + " " + argv[0]; }

// Its complaints, as warnings, line by line.
class Complaints {
 public:
  explicit Complaints(std::string program) : program_(std::move(program)) {}
  void take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n')
        flush();
      else if (line_.size() < log_line)
        line_ += c;
    }
  }
  void flush() {
    if (!line_.empty()) base::log(base::Level::warn, program_ + ": " + line_);
    line_.clear();
  }

 private:
  std::string program_;
  std::string line_;
};

// What is wrong with how it ended; empty where nothing is. 1 and nothing printed is how grep says "none of these".
std::string fault(const ChildEnd& end, bool printed, double patience) {
  switch (end.how) {
    case ChildEnd::How::hung: {
      std::string seconds = std::to_string(patience);
      seconds.erase(std::min(seconds.size(), seconds.find('.') + 2));
      return "did not read its input, or did not end after it, within " + seconds + " s (sync_timeout) and was killed";
    }
    case ChildEnd::How::signalled:
      return "was killed by signal " + std::to_string(end.code);
    case ChildEnd::How::cancelled:
      return "was stopped";
    case ChildEnd::How::exited:
      break;
  }
  if (end.code != 0 && (end.code != 1 || printed)) return "ended with exit code " + std::to_string(end.code);
  if (end.unread > 0) return "ended without having read all of its input";
  return "";
}

ChildEnd run_on(const FilterChunk& chunk, KeptLines& kept, const std::vector<std::string>& argv, double patience,
                int cancel_fd) {
  Complaints complaints(name_of(argv));
  const base::ChildCalls calls = {[&](std::string_view bytes) { kept.take(bytes); },
                                  [&](std::string_view bytes) { complaints.take(bytes); }};
  try {
    const ChildEnd end = base::run_child(argv, chunk.input(), patience, cancel_fd, calls);
    complaints.flush();
    return end;
  } catch (const Error& failure) {
    complaints.flush();
    if (failure.kind() != Exit::config) throw;
    throw Error(Exit::config,
                std::string(setting) + ": " + failure.what() + "; correct its path, or make it executable");
  }
}

std::vector<bool> kept_of(const FilterChunk& chunk, const std::vector<std::string>& argv, double patience,
                          int cancel_fd) {
  KeptLines kept(chunk, name_of(argv));
  const ChildEnd end = run_on(chunk, kept, argv, patience, cancel_fd);
  const std::string wrong = fault(end, kept.printed_any(), patience);
  if (!wrong.empty()) throw Error(Exit::data, name_of(argv) + " " + wrong + "; mend it, nothing is lost");
  kept.finish();
  return kept.kept();
}

}  // namespace

struct Filter::State {
  std::vector<std::string> argv;
  double patience;
  base::Fd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};    // the run has ended
  base::Fd cancel{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};  // the filter goes: end the program
  FilterChunk waiting;
  double since = 0;  // its first change came
  FilterChunk running;
  std::thread worker;  // while a run lasts; what follows is its own until `ended`
  std::atomic<bool> ended{false};
  std::string out;
  std::exception_ptr failure;
  uint64_t given = 0;           // changes since tell()
  uint64_t kept = 0;            // of these
  uint64_t in_transaction = 0;  // changes kept of the transaction that `running` ends in

  void work() {
    try {
      const std::vector<bool> what = kept_of(running, argv, patience, cancel.get());
      out = running.without(what, in_transaction);
      given += what.size();
      kept += static_cast<uint64_t>(std::ranges::count(what, true));
    } catch (...) {
      failure = std::current_exception();
    }
    ended = true;
    ::eventfd_write(wake.get(), 1);
  }
};

Filter::Filter(std::vector<std::string> argv, double patience) : state_(std::make_unique<State>()) {
  state_->argv = std::move(argv);
  state_->patience = patience;
}

Filter::~Filter() {
  if (!state_->worker.joinable()) return;
  ::eventfd_write(state_->cancel.get(), 1);
  state_->worker.join();
}

void Filter::try_out(const std::vector<std::string>& argv, double patience) {
  const FilterChunk nothing;
  KeptLines kept(nothing, name_of(argv));
  ChildEnd end;
  try {
    end = run_on(nothing, kept, argv, patience, base::stop_fd());
    if (end.how == ChildEnd::How::cancelled) return;
    kept.finish();
  } catch (const Error& failure) {
    if (failure.kind() != Exit::data) throw;
    throw Error(Exit::config, name_of(argv) + " prints lines though it was given none; let it print those of its " +
                                  "input that it keeps");
  }
  const std::string wrong = fault(end, false, patience);
  if (!wrong.empty()) throw Error(Exit::config, name_of(argv) + ", given no line at all, " + wrong + "; correct it");
}

std::vector<bool> Filter::ask(const std::vector<std::string>& argv, double patience, const FilterChunk& chunk) {
  try {
    return kept_of(chunk, argv, patience, base::stop_fd());
  } catch (const Error& failure) {
    if (!base::stop_requested()) throw;
    throw Error(Exit::try_later, std::string("stopped while ") + setting + " was asked; start it again");
  }
}

void Filter::mark(std::string_view lines) { state_->waiting.mark(lines); }

void Filter::begin(std::string_view line) { state_->waiting.begin(line); }

void Filter::commit(change::Lsn lsn, change::Lsn end_lsn) { state_->waiting.commit(lsn, end_lsn); }

void Filter::change(std::string_view line, change::Lsn lsn, uint64_t ordinal) {
  if (state_->waiting.changes() == 0) state_->since = base::monotonic_seconds();
  state_->waiting.change(line, lsn, ordinal);
}

bool Filter::full() const { return state_->waiting.bytes() >= most; }

bool Filter::idle() const { return state_->waiting.empty() && !state_->worker.joinable(); }

// Only between two runs: the counts are the running one's.
void Filter::tell() {
  if (state_->worker.joinable() || state_->given == 0) return;
  base::log(base::Level::info, name_of(state_->argv) + " kept " + std::to_string(std::exchange(state_->kept, 0)) +
                                   " of " + std::to_string(std::exchange(state_->given, 0)) + " changes");
}

double Filter::due_in() const {
  if (state_->worker.joinable() || state_->waiting.changes() == 0) return -1;
  return std::max(0.0, state_->since + gather_for - base::monotonic_seconds());
}

int Filter::wake_fd() const { return state_->wake.get(); }

void Filter::step(std::string& out, bool now) {
  State& state = *state_;
  if (state.ended.exchange(false)) {
    state.worker.join();
    eventfd_t ignored;
    ::eventfd_read(state.wake.get(), &ignored);
    if (state.failure) std::rethrow_exception(std::exchange(state.failure, nullptr));
    out += state.out;
    state.out = {};
    state.running = {};
  }
  if (state.worker.joinable() || state.waiting.empty()) return;
  if (state.waiting.changes() == 0) {  // marks alone
    out += state.waiting.without({}, state.in_transaction);
    state.waiting = {};
    return;
  }
  if (!now && !full() && due_in() > 0) return;
  state.running = std::exchange(state.waiting, {});
  state.worker = std::thread([&state] { state.work(); });
}

}  // namespace capture
