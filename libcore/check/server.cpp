#include "check/server.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.hpp"
#include "base/margin.hpp"

namespace check {
namespace {

constexpr int oldest_version =
    130000;  // slots tell their state, and how much WAL they may still hold up, from there on

constexpr const char* describe = R"(
  SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
         pg_catalog.concat_ws(' ', (SELECT system_identifier FROM pg_catalog.pg_control_system()),
                              pg_catalog.pg_postmaster_start_time(), d.oid)
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

std::string seconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", value);
  return text;
}

std::string early_or_late(double ahead) { return seconds(std::abs(ahead)) + (ahead > 0 ? " ahead of" : " behind"); }

bool is_off(double ahead, double within) { return std::abs(ahead) - within > base::most_clock_skew; }

constexpr const char* time_service = "run a time service on that machine (chrony, or systemd-timesyncd)";

void judge_transport(const pg::Transport& transport, const std::string& place, Findings& findings) {
  if (!transport.leaves_machine) return;
  if (!transport.encrypted)
    return findings.add(
        {Severity::warning, "tls", place,
         "rows and passwords go to " + transport.address + " unencrypted (sslmode=" + transport.sslmode + ")",
         "ssl = on in that server's postgresql.conf, and sslmode=verify-full in database_url"});
  if (!transport.sslmode.starts_with("verify"))
    findings.add({Severity::note, "tls", place,
                  "the connection is encrypted, but nobody looks whom it is with (sslmode=" + transport.sslmode + ")",
                  "sslmode=verify-full and sslrootcert=FILE in database_url"});
}

}  // namespace

ServerFacts read_server(pg::Session& session) {
  ServerFacts facts;
  facts.version = session.server_version();
  facts.transport = pg::transport_of(session);
  const pg::Result row = session.query(describe);
  facts.in_recovery = row.get(0, 0) == "t";
  facts.encoding = row.get(0, 1);
  facts.collate = row.get(0, 2);
  facts.ctype = row.get(0, 3);
  facts.identity = row.get(0, 4);
  const int64_t before = base::unix_microseconds();
  const pg::Result clock = session.query("SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint");
  const int64_t after = base::unix_microseconds();
  const int64_t there = std::stoll(std::string(clock.get(0, 0)));
  facts.clock_within = static_cast<double>(after - before) / 2e6;
  facts.clock_ahead = static_cast<double>(there - before) / 1e6 - facts.clock_within;
  return facts;
}

void judge_server(const ServerFacts& facts, const config::Node& node, Findings& findings) {
  const bool primary = node.role == config::Role::primary;
  judge_transport(facts.transport, node.name, findings);
  if (facts.version < oldest_version)
    findings.add({Severity::error, "server", node.name,
                  "PostgreSQL " + std::to_string(facts.version / 10000) + " is too old", "upgrade it to 13 or later"});
  if (facts.in_recovery)
    findings.add({Severity::error, "server", node.name,
                  primary ? "it is in recovery, a copy of another server: nothing is committed here"
                          : "it is in recovery, a copy of another server: nothing can be written here",
                  primary ? "set database_url to the server that it follows; if it is to take over, SELECT pg_promote()"
                          : "set database_url to a server of its own; if it is one, SELECT pg_promote()"});
  if (facts.encoding == "SQL_ASCII")
    findings.add({Severity::warning, "server", node.name,
                  "the database's encoding is SQL_ASCII: text that is no UTF-8 cannot be sent, and stops sync",
                  "move the tables to a database made with ENCODING 'UTF8' TEMPLATE template0"});
  if (is_off(facts.clock_ahead, facts.clock_within))
    findings.add({Severity::warning, "clock", node.name,
                  "its clock is " + early_or_late(facts.clock_ahead) + " this machine's: lag in seconds is wrong by it",
                  time_service});
}

void judge_both(const ServerFacts& primary, const config::Node& primary_node, const ServerFacts& standby,
                const config::Node& standby_node, Findings& findings) {
  const std::string place = standby_node.name;
  if (primary.identity == standby.identity)
    return findings.add({Severity::error, "config", place,
                         "it is the same database of the same server as " + primary_node.name,
                         "correct database_url of one of the two"});
  if (primary.encoding != standby.encoding && standby.encoding != "UTF8")
    findings.add({Severity::warning, "server", place,
                  "the database's encoding is " + standby.encoding + ", the primary's " + primary.encoding +
                      ": rows with characters that it does not have go to quarantine",
                  "move the tables to a database made with ENCODING 'UTF8' TEMPLATE template0"});
  if (primary.collate != standby.collate || primary.ctype != standby.ctype)
    findings.add({Severity::note, "server", place,
                  "the database sorts by " + standby.collate + " (ctype " + standby.ctype + "), the primary's by " +
                      primary.collate + " (ctype " + primary.ctype + "): ORDER BY may differ, rows do not",
                  ""});
  const double ahead = standby.clock_ahead - primary.clock_ahead;
  if (is_off(ahead, standby.clock_within + primary.clock_within))
    findings.add({Severity::warning, "clock", place,
                  "its clock is " + early_or_late(ahead) + " that of " + primary_node.name +
                      ": times that the servers write themselves (now()) do not compare",
                  time_service});
}

}  // namespace check
