// Tables of the standby that are paused: their changes wait in the queue since their shape does not fit, so at no cut
// are they as on the primary, and what differs in them is no finding but their lag. Owns nothing; reads
// pgtandem.tables.
#pragma once

#include <map>
#include <string>

#include "change/change.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

struct Paused {
  change::Lsn lsn;  // its changes are applied up to here
  std::string reason;
  std::string text() const;                          // "paused at 0/1A2B3C8: …"
  std::string line(const std::string& table) const;  // "public.images  paused  at 0/1A2B3C8: …"
};
using PausedTables = std::map<std::string, Paused>;  // by the table's name as lines carry it

// `session`: on the standby; in a snapshot it tells how it was there.
PausedTables paused_tables(pg::Session& session, const change::Source& source);
// As it is now, in a session of its own. None where the two are not linked. Throws as pg::Session does.
PausedTables paused_now(const config::Settings& settings, const std::string& node);

// The line of a table that is left out: "public.images is left out, since it is paused on backup_node: …".
std::string left_out_text(const std::string& table, const std::string& node, const Paused& paused);

}  // namespace compare
