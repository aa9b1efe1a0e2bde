// The first copy of all tables that are empty on a standby. Owns the list of those still to be copied, a file in the
// state directory: once the first is copied the stream brings rows into the others, and they are empty no more.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace compare {

// Copies each synced table that is empty on the standby and not on the primary, and what an earlier call has left.
// Both must be linked. Throws as copy_tables(), after the retries; call again then, it goes on with what is left. For a
// table that cannot be copied it throws when all others are.
void first_copy(const config::Settings& settings, const std::string& node);

}  // namespace compare
