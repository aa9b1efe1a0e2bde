// Makes the spool durable beside the thread that fills it: one job at a time, in the only order that is right: the
// segments' bytes, the directory, then the mark. Owns the thread and the mark file; decides nothing about when.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/files.hpp"
#include "spool/mark.hpp"

namespace spool {

struct SyncJob {
  std::vector<std::shared_ptr<base::Fd>> files;  // written since the last job
  bool directory = false;                        // a segment is new
  std::optional<Mark> mark;                      // published when all that is synced; its bytes must be written
  base::Durable durable = base::Durable::no;     // of the mark itself
};

class Syncer {
 public:
  explicit Syncer(const std::filesystem::path& spool);
  ~Syncer();  // waits for the job under way

  // Whether a job may be started. A failed sync is thrown here, and again at every later call: what the kernel could
  // not write is never tried again (it may call the pages clean), so nothing after it is published.
  bool idle();
  void start(SyncJob job);
  // Until the job under way has ended.
  void wait();
  // Readable when a job has ended since the last call of idle() or wait(); for poll(2).
  int fd() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spool
