// What links the two sides: wal_level, slots and senders, our slot's state, the publication, the place on the standby,
// and the roles' rights. Owns the questions and the judgements; makes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "check/finding.hpp"
#include "check/side.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"
#include "pg/slot.hpp"

namespace check {

struct LinkFacts {
  std::string wal_level;
  int slots = 0;  // there are
  int max_slots = 0;
  int senders = 0;  // connected
  int max_senders = 0;
  std::string idle_slot;  // one of others' that nobody uses; empty: none
  pg::SlotState slot;     // ours
};
LinkFacts read_link(pg::Session& session, const std::string& slot);
// `founded`: the spool knows of a slot.
void judge_link(const LinkFacts& facts, const std::string& node, const std::string& slot, bool founded,
                Findings& findings);

// `tables`: those of sync_tables that the primary has.
void look_at_link(const config::Settings& settings, Side& primary, const std::vector<base::TableName>& tables,
                  Findings& findings);
void look_at_standby(const config::Settings& settings, Side& standby, Findings& findings);

}  // namespace check
