#include "http/errands.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"

namespace http {

Errands::Errands(std::function<Answer(const Request&)> act, size_t most)
    : act_(std::move(act)), most_(most), ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ready_) base::throw_errno("cannot make an eventfd");
  thread_ = std::thread([this] { work(); });
}

Errands::~Errands() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

bool Errands::take(const Request& request, void* who) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_ || tasks_.size() + (busy_ ? 1 : 0) >= most_) return false;
    tasks_.push_back({request, who});
  }
  changed_.notify_all();
  return true;
}

std::vector<Errands::Done> Errands::done() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(ready_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void Errands::finish() {
  std::unique_lock lock(mutex_);
  finished_ = true;
  changed_.wait(lock, [this] { return tasks_.empty() && !busy_; });
}

void Errands::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || !tasks_.empty(); });
    if (over_) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    busy_ = true;
    lock.unlock();
    Answer answer = act_(task.request);
    lock.lock();
    busy_ = false;
    done_.push_back({task.who, std::move(answer)});
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t ignored = ::write(ready_.get(), &one, sizeof one);
    changed_.notify_all();
  }
}

}  // namespace http
