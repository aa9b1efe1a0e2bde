// What was dropped and made again under its name between two looks, of which no message tells: a table, of whose old
// rows the standby keeps those it has; and a publication, or a table's place in it, without which changes were not sent
// (the server refuses to decode them where the publication is missing, but from PostgreSQL 18 on it passes over them);
// and a publication that was altered, and may have let less through until it was altered back.
// Owns STATE/published.SLOT.list, the OIDs that both had when they were last looked at. For who checks the publication.
#pragma once

#include <map>
#include <string>

#include "base/table_name.hpp"
#include "config/settings.hpp"

namespace capture {

struct Oids {
  std::string table;
  std::string member;     // of the table in the publication, or of the publication where that names no table
  std::string version{};  // of the publication: who last altered it, what it publishes and not its tables
};

// Warns of those that have others than the last time, and marks them for the next full pass of every standby.
void note_oids(const config::Settings& settings, const std::string& slot, const std::map<base::TableName, Oids>& oids);

// The same table has another place in the publication, and whoever gave it that has told so: it is not to be warned of
// once more. Nothing where it was another one than `was` the last time: that is still to be told.
void note_own_change(const config::Settings& settings, const std::string& slot, const base::TableName& table,
                     const Oids& was, const Oids& is);

// For a link that is dropped: the next one of its name has nothing to do with it.
void forget_oids(const config::Settings& settings, const std::string& slot);

}  // namespace capture
