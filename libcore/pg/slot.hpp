// What a primary says of a replication slot: whether it is there and in use, and how much WAL it keeps and may still
// keep. Owns the question; what is too little is its callers' to say. Works on a server in recovery, too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/session.hpp"

namespace pg {

struct SlotState {
  bool exists = false;  // where it does not, nothing else is known
  bool active = false;
  std::string wal_status;                // reserved, extended, unreserved, lost; empty: none is told
  std::optional<int64_t> safe_wal_size;  // bytes that may still be written before it is lost; absent: no limit is set
  std::optional<int64_t> retained;       // bytes of WAL that it keeps; absent: it is lost
  std::string confirmed_lsn;
};
// Throws as Session::query().
SlotState read_slot(Session& session, const std::string& slot);

}  // namespace pg
