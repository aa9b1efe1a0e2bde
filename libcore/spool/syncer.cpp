#include "spool/syncer.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "spool/layout.hpp"

namespace spool {

struct Syncer::State {
  std::filesystem::path spool;
  MarkFile mark_file;
  base::Fd ended;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<SyncJob> job;  // the one under way
  std::exception_ptr failure;
  bool stopping = false;
  std::thread thread;

  explicit State(const std::filesystem::path& s)
      : spool(s), mark_file(s), ended(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!ended) base::throw_errno("cannot make an eventfd");
  }

  void run(const SyncJob& work) {
    for (const auto& file : work.files) base::sync_data(file->get(), "a segment of " + spool.string());
    if (work.directory) base::sync_directory(segments_path(spool));
    if (work.mark) mark_file.publish(*work.mark, work.durable);
  }

  void loop() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return job || stopping; });
      if (!job) return;
      lock.unlock();
      std::exception_ptr failed;
      try {
        run(*job);
      } catch (...) {
        failed = std::current_exception();
      }
      lock.lock();
      failure = failed;
      job.reset();
      changed.notify_all();
      const uint64_t one = 1;
      [[maybe_unused]] const ssize_t ignored = ::write(ended.get(), &one, sizeof one);
      if (failure) return;
    }
  }

  // With the mutex held.
  void take_note() {
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t ignored = ::read(ended.get(), &count, sizeof count);
    if (failure) std::rethrow_exception(failure);
  }
};

Syncer::Syncer(const std::filesystem::path& spool) : state_(std::make_unique<State>(spool)) {
  state_->thread = std::thread([s = state_.get()] { s->loop(); });
}

Syncer::~Syncer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

bool Syncer::idle() {
  const std::lock_guard lock(state_->mutex);
  if (state_->job) return false;
  state_->take_note();
  return true;
}

void Syncer::start(SyncJob job) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->job = std::move(job);
  }
  state_->changed.notify_all();
}

void Syncer::wait() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] { return !state_->job; });
  state_->take_note();
}

int Syncer::fd() const { return state_->ended.get(); }

}  // namespace spool
