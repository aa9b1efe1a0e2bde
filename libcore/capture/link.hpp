// What capture needs on the primary: the publication and the slot, both under one name, and that the spool and the slot
// belong together. Makes, removes and checks them; reads no change.
#pragma once

#include <memory>
#include <string>

#include "change/change.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"
#include "spool/mark.hpp"

namespace capture {

// What to do where slot and spool no longer fit together, for the end of a message.
extern const std::string begin_again;

// Whether text in the database may be no UTF-8: its encoding is SQL_ASCII.
bool takes_any_bytes(pg::Session& session);

// "pgtandem_" and local_node, in the letters that a slot name may have. Slot and publication bear it.
std::string link_name(const config::Settings& settings);

// Makes publication, slot and the spool's first mark, or finds them made. Throws Error: `config` (wal_level, an unknown
// table, a filter that the server refuses), `data` (a table without an identity or with one that does not carry its
// filter, a slot that the spool does not know), base::MissingRights.
void init(const config::Settings& settings, const std::string& node);

// Removes slot and publication; the spool stays.
void drop(const config::Settings& settings, const std::string& node);

// The end of the primary's flushed WAL: what a pass that starts now reads up to.
change::Lsn position(const config::Settings& settings, const std::string& node);

// A connection that speaks the replication protocol; a missing right names what to grant.
std::unique_ptr<pg::Session> open_walsender(const config::Settings& settings, const config::Node& primary);

// Refuses with Error(data) and the way out when going on would leave a gap or mix two histories: the slot is missing,
// lost or ahead of the spool, the server or its timeline is another one, the publication differs from sync_tables or
// filters. `walsender` is a replication session, `session` an ordinary one. Returns what the spool has.
spool::Mark check(const config::Settings& settings, pg::Session& session, pg::Session& walsender);

// The part of check() that can change while a stream goes on, and of which no message of the stream tells: the tables
// and the publication.
void check_published(const config::Settings& settings, pg::Session& session);

}  // namespace capture
