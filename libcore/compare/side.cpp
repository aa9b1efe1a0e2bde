#include "compare/side.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/stop.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

std::atomic<bool> failed{false};

// Plans: groups by hash (65,536 of them take 20 MB), never a sort under the aggregate; one scan after the other in the
// order of pages; no worker processes, for the sessions are the parallelism and the primary is to be left in peace.
constexpr const char* settings =
    "SET work_mem = '64MB'; SET enable_sort = off; SET enable_hashagg = on; SET enable_tidscan = on; SET jit = off;"
    "SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0; SET enable_indexscan = on;"
    "SET enable_nestloop = on; SET enable_bitmapscan = on; SET lock_timeout = ";

}  // namespace

Side::Side(const config::Node& node, size_t jobs, double lock_timeout)
    : to_(node), session_node_(node.name), lock_timeout_(lock_timeout) {
  connect(jobs);
}

void Side::connect(size_t jobs) {
  for (size_t i = 0; i < jobs; ++i) {
    // A pass over a large table takes as long as it takes; a server that is gone is noticed by keepalives.
    sessions_.push_back(
        std::make_unique<pg::Session>(to_, pg::SessionOptions{.purpose = "pgtandem diff", .answer_timeout = 0}));
    sessions_.back()->lift_transaction_timeout();
    sessions_.back()->query(settings + std::to_string(std::max(1, static_cast<int>(lock_timeout_ * 1000))));
  }
}

void Side::look_at(const std::string& snapshot) {
  snapshot_ = snapshot;
  for (const std::unique_ptr<pg::Session>& session : sessions_) {
    session->query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    session->query("SET TRANSACTION SNAPSHOT " + pg::quote_literal(snapshot));
  }
}

void Side::look_again() {
  const size_t jobs = sessions_.size();
  sessions_.clear();
  connect(jobs);
  look_at(std::string(snapshot_));
}

bool should_end() { return failed || base::stop_requested(); }

void run_together(std::vector<std::function<void()>> tasks, const std::function<void()>& meanwhile) {
  failed = false;
  std::exception_ptr first;  // what the others throw may be of its making: they are cancelled
  std::mutex mutex;
  std::condition_variable ended;
  size_t running = tasks.size();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < tasks.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        tasks[i]();
      } catch (...) {
        if (!failed.exchange(true)) first = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      --running;
      ended.notify_one();
    });
  std::exception_ptr enough;
  {
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, std::chrono::milliseconds(200), [&] { return running == 0; })) {
      lock.unlock();
      try {
        if (!enough) meanwhile();
      } catch (...) {
        enough = std::current_exception();
        failed = true;  // the others see it by should_end()
      }
      lock.lock();
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (enough) std::rethrow_exception(enough);
  if (first) std::rethrow_exception(first);
}

}  // namespace compare
