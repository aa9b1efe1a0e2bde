#include "pg/slot.hpp"

#include <charconv>

namespace pg {
namespace {

// A server in recovery has no position of its own to count from.
constexpr const char* describe = R"(
  SELECT active, coalesce(wal_status, ''), safe_wal_size, confirmed_flush_lsn,
         (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
               ELSE pg_catalog.pg_current_wal_lsn() END - restart_lsn)::bigint
    FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)";

std::optional<int64_t> bytes_in(const Result& row, int column) {
  if (row.is_null(0, column)) return {};
  const std::string_view text = row.get(0, column);
  int64_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

}  // namespace

SlotState read_slot(Session& session, const std::string& slot) {
  SlotState state;
  const Result row = session.query(describe, {slot});
  state.exists = row.rows() > 0;
  if (!state.exists) return state;
  state.active = row.get(0, 0) == "t";
  state.wal_status = row.get(0, 1);
  state.safe_wal_size = bytes_in(row, 2);
  state.confirmed_lsn = row.get(0, 3);
  state.retained = bytes_in(row, 4);
  return state;
}

}  // namespace pg
