// Tables of the standby that are paused: their changes wait in the queue since their shape does not fit, so at no cut
// are they as on the primary, and what differs in them is no finding but their lag. Owns nothing; reads
// pgtandem.tables.
#pragma once

#include <map>
#include <string>

#include "change/change.hpp"
#include "pg/session.hpp"

namespace compare {

// Why, by the table's name as lines carry it. `session`: on the standby; in a snapshot it tells how it was there.
std::map<std::string, std::string> paused_tables(pg::Session& session, const change::Source& source);

// The line of a table that is left out: "public.images is left out, since it is paused on backup_node: …".
std::string left_out_text(const std::string& table, const std::string& node, const std::string& reason);

}  // namespace compare
