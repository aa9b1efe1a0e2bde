// The snapshot as JSON: what the HTTP API answers, and what --json prints. Owns the names of the fields, which are
// documented in pgtandem-status(1) and only ever added to. Numbers have no units in them (seconds, bytes, operations),
// times are RFC 3339 in UTC, but for those that clients of old read as Unix seconds. One line each, without a newline.
#pragma once

#include <string>

#include "report/snapshot.hpp"

namespace report {

std::string sync_status_json(const Snapshot& snapshot);      // GET /api/sync-status
std::string status_json(const Snapshot& snapshot);           // GET /api/status
std::string replication_lag_json(const Snapshot& snapshot);  // GET /api/replication-lag
std::string health_json(const Snapshot& snapshot);           // status health --json, GET /api/health's body
std::string show_json(const Snapshot& snapshot);             // status show --json: all of it

}  // namespace report
