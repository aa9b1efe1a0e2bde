#include "compare/paused.hpp"

namespace compare {

std::map<std::string, std::string> paused_tables(pg::Session& session, const change::Source& source) {
  std::map<std::string, std::string> out;
  // Without it nothing was ever applied there.
  if (session.query("SELECT pg_catalog.to_regclass('pgtandem.tables') IS NULL").get(0, 0) == "t") return out;
  const pg::Result rows =
      session.query("SELECT name, reason FROM pgtandem.tables WHERE slot = $1 AND lsn IS NOT NULL", {source.slot});
  for (int i = 0; i < rows.rows(); ++i) out.emplace(rows.get(i, 0), rows.get(i, 1));
  return out;
}

std::string left_out_text(const std::string& table, const std::string& node, const std::string& reason) {
  return table + " is left out, since it is paused on " + node + ": " + reason;
}

}  // namespace compare
