#include "check/link.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include "apply/awake.hpp"
#include "apply/progress.hpp"
#include "apply/rights.hpp"
#include "base/size_text.hpp"
#include "capture/link.hpp"
#include "capture/rights.hpp"
#include "pg/quote.hpp"
#include "spool/mark.hpp"

namespace check {
namespace {

using base::size_text;

constexpr int64_t small_headroom = int64_t{1} << 30;  // bytes: minutes of a busy server

constexpr const char* describe = R"(
  SELECT pg_catalog.current_setting('wal_level'), pg_catalog.current_setting('max_replication_slots')::int,
         pg_catalog.current_setting('max_wal_senders')::int,
         (SELECT count(*) FROM pg_catalog.pg_replication_slots), (SELECT count(*) FROM pg_catalog.pg_stat_replication),
         (SELECT min(slot_name) FROM pg_catalog.pg_replication_slots
           WHERE NOT active AND NOT temporary AND slot_name NOT LIKE 'pgtandem%'))";

std::string set(const std::string& name, int value) {
  return "ALTER SYSTEM SET " + name + " = " + std::to_string(value) + "; and restart that server";
}

void judge_slots(const LinkFacts& facts, const std::string& node, Findings& findings) {
  const int left = facts.max_slots - facts.slots;
  if (left > 0) return;
  std::string mend = set("max_replication_slots", facts.max_slots + 4);
  if (!facts.idle_slot.empty())
    mend =
        "SELECT pg_drop_replication_slot(" + pg::quote_literal(facts.idle_slot) + "); if nobody needs it, else " + mend;
  findings.add(
      {facts.slot.exists ? Severity::warning : Severity::error, "link", node,
       "all " + std::to_string(facts.max_slots) + " replication slots are taken: " +
           (facts.slot.exists ? "verify and diff find none for an exact comparison" : "capture init finds none"),
       mend});
}

void judge_senders(const LinkFacts& facts, const std::string& node, Findings& findings) {
  const int wanted = facts.slot.active ? 1 : 2;  // capture, and a comparison beside it
  const int left = facts.max_senders - facts.senders;
  if (left >= wanted) return;
  findings.add({left > 0 || facts.slot.active ? Severity::warning : Severity::error, "link", node,
                std::to_string(facts.senders) + " of " + std::to_string(facts.max_senders) +
                    " WAL senders are taken: capture and a comparison need one each",
                set("max_wal_senders", facts.max_senders + 4)});
}

void judge_slot(const LinkFacts& facts, const std::string& node, const std::string& slot, Findings& findings) {
  const auto add = [&](Severity severity, const std::string& what, const std::string& mend) {
    findings.add({severity, "link", node, "slot " + slot + " " + what, mend});
  };
  const std::string run = facts.slot.active ? "see that queue put has room and goes on (pgtandem queue stat)"
                                            : "start capture (pgtandem sync-incremental, or the service)";
  const int64_t kept = facts.slot.retained.value_or(0);
  // One that is lost is told by what it means for the spool, see capture::check().
  if (facts.slot.wal_status == "lost") return;
  if (facts.slot.wal_status == "unreserved")
    add(Severity::error,
        "is about to lose WAL that it needs: " + size_text(static_cast<uint64_t>(kept)) + " are kept for it", run);
  else if (facts.slot.safe_wal_size && *facts.slot.safe_wal_size < small_headroom)
    add(Severity::warning,
        "is invalidated when the server has written another " +
            size_text(static_cast<uint64_t>(std::max(int64_t{0}, *facts.slot.safe_wal_size))) + " of WAL",
        run + "; or give it more: ALTER SYSTEM SET max_slot_wal_keep_size");
  else if (!facts.slot.safe_wal_size && kept > small_headroom)
    add(Severity::warning,
        "makes the server keep " + size_text(static_cast<uint64_t>(kept)) +
            " of WAL, and nothing bounds that but its disk",
        run + "; and bound it: ALTER SYSTEM SET max_slot_wal_keep_size");
}

}  // namespace

LinkFacts read_link(pg::Session& session, const std::string& slot) {
  LinkFacts facts;
  const auto number = [](std::string_view text) { return std::stoi(std::string(text)); };
  const pg::Result row = session.query(describe);
  facts.wal_level = row.get(0, 0);
  facts.max_slots = number(row.get(0, 1));
  facts.max_senders = number(row.get(0, 2));
  facts.slots = number(row.get(0, 3));
  facts.senders = number(row.get(0, 4));
  facts.idle_slot = row.get(0, 5);
  facts.slot = pg::read_slot(session, slot);
  return facts;
}

void judge_link(const LinkFacts& facts, const std::string& node, const std::string& slot, bool founded,
                Findings& findings) {
  if (facts.wal_level != "logical")
    findings.add({Severity::error, "link", node, "wal_level is " + facts.wal_level + ", and nothing can be captured",
                  "ALTER SYSTEM SET wal_level = logical; and restart that server"});
  judge_slots(facts, node, findings);
  judge_senders(facts, node, findings);
  if (facts.slot.exists) return judge_slot(facts, node, slot, findings);
  if (!founded)
    findings.add({Severity::error, "link", node, "the two sides are not linked: there is no slot " + slot,
                  "pgtandem sync-full --init"});
}

void look_at_link(const config::Settings& settings, Side& primary, const std::vector<base::TableName>& tables,
                  Findings& findings) {
  const std::string name = capture::link_name(settings);
  std::optional<spool::Mark> mark;
  try {
    mark = spool::read_mark(settings.spool.directory);
  } catch (const base::Error& damaged) {
    findings.add(Severity::error, "state", settings.spool.directory.string(), damaged.what());
  }
  bool has_slot = false;
  primary.look("link", [&](pg::Session& session) {
    const LinkFacts facts = read_link(session, name);
    has_slot = facts.slot.exists;
    judge_link(facts, primary.name(), name, mark.has_value(), findings);
  });
  primary.look("rights", [&](pg::Session& session) {
    config::Settings known = settings;
    known.synchronization.sync_tables = tables;
    try {
      if (!tables.empty()) capture::check_rights(session, known, name, false);
    } catch (const base::MissingRights& lacking) {
      for (const std::string& statement : lacking.statements()) findings.add_right(primary.name(), statement);
    }
  });
  if (!mark && !has_slot) return;
  primary.look("link", [&](pg::Session& session) {
    if (!mark)
      throw base::Error(base::Exit::data,
                        "slot " + name + " exists, but the spool " + settings.spool.directory.string() +
                            " knows nothing of it; `capture drop`, " + "then `pgtandem sync-full --init`");
    const std::unique_ptr<pg::Session> walsender = capture::open_walsender(settings, primary.node());
    capture::check(settings, session, *walsender);
  });
}

void look_at_standby(const config::Settings& settings, Side& standby, Findings& findings) {
  standby.look("rights", [&](pg::Session& session) {
    const pg::Rights missing = apply::missing_rights(session, settings);
    for (const std::string& statement : missing.statements()) findings.add_right(standby.name(), statement);
    if (apply::may_be_replica(session)) return;
    const std::string grant = apply::replica_grant(session);
    findings.add({Severity::warning, "rights", standby.name(),
                  "the role may not set session_replication_role: foreign keys are checked again, and sync is slower",
                  grant.empty() ? "let apply be a superuser there, or PostgreSQL 15" : grant + ";"});
  });
  std::optional<spool::Mark> mark;
  try {
    mark = spool::read_mark(settings.spool.directory);
  } catch (const base::Error&) {
  }
  if (!mark) return;
  standby.look("link", [&](pg::Session& session) {
    apply::refuse_primary(session, mark->source);
    apply::read_progress(session, mark->source);
  });
}

}  // namespace check
