// One consistent state on both sides, at an LSN: what a comparison looks at, while both sides are written. Owns the
// sessions that hold the two snapshots open, and the hold of the applier until both are there; whatever goes wrong, the
// applier goes on, and no slot and no lock stay. Nothing that is written on the primary waits for it: it takes ACCESS
// SHARE locks only, for which a TRUNCATE or an ALTER TABLE of these tables waits as it does for any reader (an old
// snapshot would see a truncated table empty).
//
// Where no snapshot can be had from a slot (no right, no slot free, a transaction that writes for too long), or the
// applier cannot be brought to it in time, the cut is not exact: two plain snapshots, taken one after the other. What
// differs there is a candidate, see recheck.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apply/lease.hpp"
#include "base/table_name.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

struct CutOptions {
  std::string primary;                  // empty: the one of that role
  std::string node;                     // the standby; empty: as Settings::secondary() picks it
  std::vector<base::TableName> tables;  // to be looked at; those that a side does not have are no error
  double limit = 0;                     // s that making it may take; 0: sync_timeout
  bool exact = true;                    // false: does not even try
  bool hold = false;                    // the applier stays held until release(); then lease() is there if exact()
};

class Cut {
 public:
  // Throws Error(data) where the primary is another server than the queue's, base::Transient and Error as sessions do.
  // A cut that is not exact is no error; a warning tells why.
  Cut(const config::Settings& settings, const CutOptions& options);
  ~Cut();
  Cut(const Cut&) = delete;

  // The primary's snapshot shows what committed before it, and so does the standby's; where it is not exact, about so.
  change::Lsn lsn() const;
  // Microseconds since 1970, before the snapshots were taken: what they show was so then, or later.
  int64_t time_us() const;
  // The standby's last commit in its snapshot: what pgtandem.progress says there.
  change::Lsn standby_lsn() const;
  bool exact() const;
  const std::string& why_not() const;  // it is not exact

  // For SET TRANSACTION SNAPSHOT in other sessions, which must be at REPEATABLE READ; as long as this object lives.
  const std::string& primary_snapshot() const;
  const std::string& standby_snapshot() const;
  // The sessions that hold them, in a read-only transaction each, for statements at the cut. One thread.
  pg::Session& primary();
  pg::Session& standby();

  // The hold, with options.hold, as long as it lasts; nullptr else.
  apply::Lease* lease();
  // The applier goes on. The snapshots stay.
  void release();
  // The standby's session ends, with its locks: for who holds the applier and is about to write there.
  void leave_standby();
  // Who on either side waits for a lock that this cut has, as a line; empty if nobody does. A long comparison asks now
  // and then, and gives way: the applier's own TRUNCATE may be among them.
  std::string in_the_way();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace compare
