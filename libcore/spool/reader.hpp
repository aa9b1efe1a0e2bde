// Transactions out of the spool, in commit order, for apply and `queue get`. Owns the place in the segments; reads only
// what the mark calls durable, and never past damage. It never guesses: the caller says what it has already.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/arena.hpp"
#include "change/change.hpp"
#include "spool/mark.hpp"

namespace spool {

class Reader {
 public:
  // Stands before the first transaction whose commit LSN is above `after`. Throws Error(data) where the spool is not
  // founded, or begins later than `covered` (something between the two is gone: a gap).
  Reader(const std::filesystem::path& spool, change::Lsn after, change::Lsn covered);
  ~Reader();

  // The next event (relation, begin, a change, commit); nullptr when there is nothing more that is durable now (call
  // again later). A begin is given only when its whole transaction is there. Values go to `arena`; the event is valid
  // until the next call, relations as long as the reader. A transaction's checksum is checked at its commit, so act
  // on a transaction's changes but do not commit them before. Throws Error(data) naming segment and byte on damage.
  const change::Event* next(base::Arena& arena);

  // The bytes of the line that next() returned, with its newline and without a commit's checksum.
  std::string_view line() const;

  const Mark& mark() const;     // as last read; next() reads it again when it has come to its end
  uint64_t operations() const;  // in the spool up to and including the last commit returned
  // End of the last transaction returned or passed over, or where the spool begins: what follows is all after it.
  change::Lsn position() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spool
