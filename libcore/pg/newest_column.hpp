// The column that newest_wins compares, looked for on one server: without it no conflict of its table can be decided.
// Owns that check, and its words, for both sides.
#pragma once

#include <string>

#include "base/table_name.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace pg {

// Outside a transaction. Throws Error(config) for the first of the synced tables that is there and lacks it, or whose
// column has a type without an order; does nothing under any other policy.
void check_newest_column(Session& session, const config::Settings& settings);

// "table public.images has no column seen, which …", with what to do.
std::string lacks_newest_column(const config::Settings& settings, const std::string& table);

}  // namespace pg
