#include "apply/hooks.hpp"

#include <sys/eventfd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/feed.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "change/writer.hpp"

namespace apply {
namespace {

constexpr size_t most_bytes = 4 << 20;  // of events that wait for a program, and of those of the open batch
constexpr double patience = 30;         // s that a program may take for one run
constexpr int at_the_end = 5;           // s for what is left when apply ends
constexpr double rest = 0.2;            // s between two runs: they gather
constexpr double tell_every = 30;       // s between two lines on what was dropped

}  // namespace

struct Hooks::Hook {
  const std::string name;
  const std::vector<std::string> argv;
  base::Fd cancel;

  std::string open;  // of the batch that is not committed; only the caller's
  uint64_t open_events = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  uint64_t waiting_events = 0;
  uint64_t dropped = 0;
  uint64_t told = 0;  // of these
  double told_at = 0;
  bool running = false;
  bool ending = false;
  std::chrono::steady_clock::time_point until;
  std::thread thread;

  Hook(std::string hook, std::vector<std::string> program)
      : name(std::move(hook)), argv(std::move(program)), cancel(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread = std::thread([this] { work(); });
  }

  ~Hook() {
    {
      std::unique_lock lock(mutex);
      changed.wait_until(lock, until, [this] { return waiting.empty() && !running; });
      drop(std::exchange(waiting_events, 0));
      waiting.clear();
    }
    ::eventfd_write(cancel.get(), 1);
    thread.join();
    if (dropped > told) tell();
  }

  void tell() {
    base::log(base::Level::warn, "hook " + name + ": " + std::to_string(dropped) +
                                     " events were dropped, because the program did not take them in time");
    told = dropped;
    told_at = base::monotonic_seconds();
  }

  // All are told before the first is waited for: their last seconds are the same ones.
  void end(std::chrono::steady_clock::time_point last) {
    const std::lock_guard lock(mutex);
    ending = true;
    until = last;
    changed.notify_all();
  }

  void drop(uint64_t events) { dropped += events; }

  // A run may last for ever: it is told as it happens, though not each time.
  void overflow(uint64_t events) {
    drop(events);
    if (told == 0 || base::monotonic_seconds() - told_at >= tell_every) tell();
  }

  void add(const std::string& line) {
    if (open.size() + line.size() > most_bytes) {
      const std::lock_guard lock(mutex);
      return overflow(1);
    }
    open += line;
    ++open_events;
  }

  void commit() {
    if (open.empty()) return;
    const std::lock_guard lock(mutex);
    if (waiting.size() + open.size() > most_bytes) {
      overflow(open_events);
    } else {
      waiting += open;
      waiting_events += open_events;
      changed.notify_all();
    }
    roll_back();
  }

  void roll_back() {
    open.clear();
    open_events = 0;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return ending || !waiting.empty(); });
      if (waiting.empty()) return;
      const std::string lines = std::exchange(waiting, {});
      const uint64_t events = std::exchange(waiting_events, 0);
      running = true;
      lock.unlock();
      const std::string why = base::feed_program(argv, lines, patience, cancel.get(), "apply");
      lock.lock();
      running = false;
      if (!why.empty()) {
        drop(events);
        base::log(base::Level::warn, "hook " + name + ": " + why + "; " + std::to_string(events) + " events are lost");
      }
      changed.notify_all();
      changed.wait_for(lock, std::chrono::duration<double>(rest), [this] { return ending; });
    }
  }
};

Hooks::Hooks(const config::Settings& settings, const config::Node& node) : node_(node.name) {
  const auto start = [](const char* name, const std::vector<std::string>& argv) {
    return argv.empty() ? nullptr : std::make_unique<Hook>(name, argv);
  };
  complete_ = start("on_sync_complete", settings.hooks.on_sync_complete);
  failure_ = start("on_failure", settings.hooks.on_failure);
  conflict_ = start("on_conflict", settings.hooks.on_conflict);
}

Hooks::~Hooks() {
  for (Hook* const hook : {complete_.get(), failure_.get(), conflict_.get()})
    if (hook != nullptr) hook->end(std::chrono::steady_clock::now() + std::chrono::seconds(at_the_end));
}

void Hooks::add(const Piece& piece, const Results& results) {
  if (!complete_ && !failure_ && !conflict_) return;
  for (const Truncate& truncate : piece.truncates) {
    if (!complete_) break;
    std::string tables;
    for (const base::TableName& table : truncate.tables) {
      tables += tables.empty() ? "" : ",";
      change::append_json_string(tables, table.text());
    }
    complete_->add(event(id_of(truncate), R"("tables":[)" + tables + "]", "truncate", "applied", ""));
  }
  for (const Operation& operation : piece.operations) {
    const auto found = results.find(id_of(operation));
    const bool as_it_came = found == results.end();
    const bool refused = !as_it_came && !found->second.error.empty();
    Hook* const hook = as_it_came ? complete_.get() : refused ? failure_.get() : conflict_.get();
    if (hook == nullptr) continue;
    std::string table = R"("table":)";
    change::append_json_string(table, operation.relation->text);
    hook->add(event(id_of(operation), table, type_name(operation.type), as_it_came ? "applied" : found->second.what,
                    as_it_came ? "" : found->second.error));
  }
}

// `tables`: the member that names what it was on. `error`: empty where it succeeded.
std::string Hooks::event(const std::string& id, const std::string& tables, const std::string& type,
                         const std::string& result, const std::string& error) const {
  std::string line = R"({"operation_id":")" + id + R"(","node":)";
  change::append_json_string(line, node_);
  line += "," + tables + R"(,"type":")" + type + R"(","result":")" + result + R"(","success":)" +
          (error.empty() ? "true" : "false") + R"(,"error":)";
  if (error.empty())
    line += "null";
  else
    change::append_json_string(line, error);
  return line + "}\n";
}

void Hooks::commit() {
  for (Hook* const hook : {complete_.get(), failure_.get(), conflict_.get()})
    if (hook != nullptr) hook->commit();
}

void Hooks::roll_back() {
  for (Hook* const hook : {complete_.get(), failure_.get(), conflict_.get()})
    if (hook != nullptr) hook->roll_back();
}

void Hooks::failed(const std::string& error) {
  roll_back();
  if (!failure_) return;
  std::string line = R"({"operation_id":null,"node":)";
  change::append_json_string(line, node_);
  line += R"(,"table":null,"type":null,"result":"failed","success":false,"error":)";
  change::append_json_string(line, error);
  failure_->add(line + "}\n");
  failure_->commit();
}

}  // namespace apply
