// Where apply's events come from: the spool, or stdin. Owns the place in the stream and knows how to go back to what
// was last committed; knows nothing of the standby.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "apply/piece.hpp"
#include "base/arena.hpp"
#include "base/files.hpp"
#include "change/change.hpp"
#include "config/settings.hpp"

namespace apply {

class Source {
 public:
  Source();
  virtual ~Source() = default;
  // The source that the stream names; nothing where it names none (a hand-made or a repairing stream): then there is
  // no progress to keep, and each of its transactions is applied as it comes.
  virtual std::optional<change::Source> named() = 0;
  // The cut, where the stream is a comparison's: its rows say where to look, not what to write.
  virtual std::optional<change::Lsn> cut() { return std::nullopt; }
  // Goes (back) to the first transaction after `at`. Throws Error(data) when that is not to be had any more; stdin can
  // be told once where to start, and never goes back.
  virtual void rewind(const Position& at) = 0;
  // The next event, or nullptr when there is none now. Values go to `arena`.
  virtual const change::Event* next(base::Arena& arena) = 0;
  // Whether next() answers without waiting for somebody to write.
  virtual bool ready() const = 0;
  // Whether next() may give more after it gave nullptr; wait() until it may, at most `seconds`.
  virtual bool ended() const = 0;
  virtual void wait(double seconds) = 0;
  // In the stream up to the last commit given, and (as far as is known) up to its end.
  virtual uint64_t operations() const = 0;
  virtual uint64_t operations_at_end() const = 0;
  // Everything that commits at or before it was given or is there to be given.
  virtual change::Lsn covered() const = 0;
  // From another thread: ends a wait in next() or wait(), until the next rewind().
  void abandon();

 protected:
  bool abandoned() const { return abandon_requested_; }
  int abandon_fd() const { return abandon_.get(); }  // readable once abandoned
  void take_up();

 private:
  base::Fd abandon_;
  std::atomic<bool> abandon_requested_{false};
};

std::unique_ptr<Source> from_spool(const config::Settings& settings);
std::unique_ptr<Source> from_descriptor(int fd, const std::string& name);

}  // namespace apply
