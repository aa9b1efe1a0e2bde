// The synced tables that a standby does not have, made as they are on the primary: columns, keys, constraints, indexes.
// Owns the run of pg_dump, which knows how, and what of its output is for a standby. Makes no rows, and touches no
// table that is there.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace compare {

// All of it or nothing. What rests on things that the standby lacks (a foreign key to a table that is not there, a
// trigger's function) is left out with a warning, but never a key. Throws Error(config) where pg_dump is missing or
// refuses, SqlError where the standby does, as for a type that it does not have.
void create_tables(const config::Settings& settings, const std::string& node);

}  // namespace compare
