// A table that was dropped and made again under its name: the publication has the new one, no message tells, and rows
// of the old one stay on the standby. Owns STATE/published.SLOT.list, the OIDs that the published tables had when they
// were last looked at. For who checks the publication.
#pragma once

#include <map>
#include <string>

#include "base/table_name.hpp"
#include "config/settings.hpp"

namespace capture {

// Warns of those that have another OID than the last time, and marks them for the next full pass of every standby.
void note_oids(const config::Settings& settings, const std::string& slot,
               const std::map<base::TableName, std::string>& oids);

}  // namespace capture
