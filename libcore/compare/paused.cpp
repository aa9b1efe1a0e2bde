#include "compare/paused.hpp"

#include <optional>

#include "spool/mark.hpp"

namespace compare {

std::string Paused::text() const { return "paused at " + lsn.text() + ": " + reason; }

std::string Paused::line(const std::string& table) const {
  return table + "  paused  at " + lsn.text() + ": " + reason;
}

PausedTables paused_tables(pg::Session& session, const change::Source& source) {
  PausedTables out;
  // Without it nothing was ever applied there.
  if (session.query("SELECT pg_catalog.to_regclass('pgtandem.tables') IS NULL").get(0, 0) == "t") return out;
  const pg::Result rows =
      session.query("SELECT name, reason, lsn FROM pgtandem.tables WHERE slot = $1 AND lsn IS NOT NULL", {source.slot});
  for (int i = 0; i < rows.rows(); ++i) {
    Paused& paused = out[std::string(rows.get(i, 0))];
    paused.reason = rows.get(i, 1);
    change::Lsn::parse(rows.get(i, 2), paused.lsn);
  }
  return out;
}

PausedTables paused_now(const config::Settings& settings, const std::string& node) {
  const std::optional<spool::Mark> mark = spool::read_mark(settings.spool.directory);
  if (!mark) return {};
  pg::Session standby(settings.secondary(node),
                      {.purpose = "pgtandem compare", .answer_timeout = settings.synchronization.sync_timeout});
  return paused_tables(standby, mark->source);
}

std::string left_out_text(const std::string& table, const std::string& node, const Paused& paused) {
  return table + " is left out, since it is paused on " + node + ": " + paused.reason;
}

}  // namespace compare
