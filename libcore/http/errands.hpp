// What is asked for and takes its time, done one after the other in a thread of its own, so that reading goes on
// meanwhile. Owns the thread and the queue; knows nothing of connections: `who` is the caller's to understand. One
// caller.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/files.hpp"
#include "http/message.hpp"

namespace http {

class Errands {
 public:
  struct Done {
    void* who;
    Answer answer;
  };

  // `act` must not throw. `most`: that may wait or be at work.
  explicit Errands(std::function<Answer(const Request&)> act, size_t most = 4);
  ~Errands();  // what is at work ends first

  // False where there are too many already, or it is finished.
  bool take(const Request& request, void* who);
  // Readable when something is done.
  int fd() const { return ready_.get(); }
  std::vector<Done> done();
  // Waits for all that was taken, and takes no more.
  void finish();

 private:
  struct Task {
    Request request;
    void* who;
  };
  void work();

  std::function<Answer(const Request&)> act_;
  size_t most_;
  base::Fd ready_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::vector<Done> done_;
  bool busy_ = false;
  bool finished_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace http
