#include <algorithm>
#include <cmath>
#include <string>

#include "base/margin.hpp"
#include "report/judges.hpp"
#include "report/words.hpp"

namespace report {
namespace {

std::string named(const Node& node) { return std::string(name_of(node.role)) + " " + node.name; }

Finding silent(const Snapshot& at, const Node& node) {
  const bool primary = node.role == config::Role::primary;
  const std::string side = primary ? "primary" : "standby";
  Finding finding{Level::critical, "", node.name, "", ""};
  const std::string place = node.host.empty() ? "its machine" : node.host;
  switch (node.server.trouble) {
    case Trouble::hangs:
      finding.code = side + "_hangs";
      finding.what = named(node) + " gives no answer in time: it hangs, or the network swallows what is sent";
      finding.mend =
          "look at the server's load and the network on " + place + "; pg_ctl status, journalctl -u postgresql";
      break;
    case Trouble::login:
      finding.code = "login_refused";
      finding.what = named(node) + " refuses the login: " + node.server.error;
      finding.mend = (at.services_user.empty()
                          ? ""
                          : as_services(at) + ": ~/.pgpass is each user's own; where that one is refused, too, ") +
                     "correct nodes." + node.name + ".database_url, ~/.pgpass or pg_hba.conf; pgtandem status check";
      break;
    case Trouble::right:
      finding.code = "right_missing";
      finding.what = named(node) + " refuses what is asked for want of a right: " + node.server.error;
      finding.mend =
          std::string("pgtandem ") + (primary ? "capture" : "apply") + " init prints the statements that grant it";
      break;
    case Trouble::crowded:
      finding.code = side + "_full";
      finding.what = named(node) + " takes nobody in, all its connections are in use: " + node.server.error;
      finding.mend = "SELECT pid, usename, application_name, state FROM pg_stat_activity, on " + place +
                     ", tells who has them: end what only idles, or raise max_connections";
      break;
    case Trouble::starting:
      finding.code = side + "_starting";
      finding.what = named(node) + " runs, but takes nobody in: it starts, stops or recovers: " + node.server.error;
      finding.mend = "wait: after a crash it reads its WAL first; journalctl -u postgresql on " + place +
                     " tells how far it is. Nothing is lost meanwhile";
      break;
    case Trouble::encryption:
      finding.code = "encryption_failed";
      finding.what = named(node) + " is there, but no encryption comes about: " + node.server.error;
      finding.mend = "openssl s_client -starttls postgres -connect " + place + ":" + std::to_string(node.port) +
                     " shows its certificate; correct that, or sslmode and sslrootcert in nodes." + node.name +
                     ".database_url; pgtandem status check";
      break;
    case Trouble::other:
    case Trouble::unreachable:
    case Trouble::none:
      finding.code = side + "_down";
      finding.what = named(node) + " does not answer: " + node.server.error;
      finding.mend = "systemctl start postgresql on " + place +
                     (primary ? "; where it is gone for good, man 7 pgtandem has the steps of taking over"
                              : "; what is committed meanwhile is not lost");
      break;
  }
  if (node.failure_count > 1) finding.what += " (" + std::to_string(node.failure_count) + " looks in a row)";
  return finding;
}

// Whether the servers are the ones that the configuration and the spool take them for.
void judge_roles(const Snapshot& at, const Node& primary, Findings& out) {
  const std::string correct =
      "correct role and database_url of nodes in the configuration; pgtandem config prints them";
  for (const auto& [name, node] : at.nodes) {
    if (node.role != config::Role::secondary || !node.server.reached()) continue;
    const Server& server = node.server;
    if (server.in_recovery.value_or(false))
      out.push_back({Level::critical, "standby_in_recovery", name,
                     named(node) + " is a physical standby: it is read-only, nothing can be applied",
                     "point nodes." + name + ".database_url at a server that is not in recovery, or promote this one"});
    if (primary.server.has_progress && server.has_slot && !primary.server.has_slot) {
      out.push_back({Level::critical, "roles_swapped", name,
                     "the roles are swapped: " + primary.name + " keeps a standby's progress, and " + name +
                         " has the slot of a primary",
                     correct});
    } else if (server.has_slot) {
      out.push_back({Level::critical, "old_primary_back", name,
                     named(node) + " was the primary and has come back: it still has the slot " + at.slot.name +
                         ", and may hold changes that nobody else has",
                     "compare with pgtandem diff, then on " + name + ": SELECT pg_drop_replication_slot('" +
                         at.slot.name + "')"});
    }
  }
  const Server& server = primary.server;
  const bool swapped =
      std::any_of(out.begin(), out.end(), [](const Finding& of) { return of.code == "roles_swapped"; });
  if (!server.reached() || swapped) return;
  if (server.in_recovery.value_or(false))
    out.push_back({Level::critical, "primary_in_recovery", primary.name,
                   named(primary) + " is in recovery: it is a physical standby now, and takes no writes", correct});
  if (!at.spool.system_id.empty() && !server.system_id.empty() && server.system_id != at.spool.system_id)
    out.push_back({Level::critical, "other_primary", primary.name,
                   named(primary) + " is another server than the one that the spool is of (system identifier " +
                       server.system_id + ", not " + at.spool.system_id + ")",
                   correct + "; where that is meant: " + begin_anew});
  else if (at.spool.timeline > 0 && server.timeline > 0 && server.timeline != at.spool.timeline)
    out.push_back({Level::critical, server.timeline < at.spool.timeline ? "old_primary_back" : "primary_promoted",
                   primary.name,
                   named(primary) + " is on timeline " + std::to_string(server.timeline) + ", the spool on " +
                       std::to_string(at.spool.timeline) +
                       (server.timeline < at.spool.timeline
                            ? ": an old primary has come back in place of the one that was followed"
                            : ": it was promoted or restored, and its history may be another"),
                   correct + "; where that is meant: " + begin_anew});
}

}  // namespace

void judge_servers(const Snapshot& at, Findings& out) {
  if (at.current_primary.empty())
    out.push_back({Level::critical, "no_primary", "", "the configuration names no primary, or several",
                   "give exactly one of nodes the role primary"});
  const auto primary = at.nodes.find(at.current_primary);
  if (primary != at.nodes.end()) judge_roles(at, primary->second, out);
  for (const auto& [name, node] : at.nodes) {
    if (!node.server.reached()) out.push_back(silent(at, node));
    const double skew = node.server.clock_skew.value_or(0);
    if (std::abs(skew) > base::most_clock_skew)
      out.push_back({Level::warning, "clock_skew", name,
                     "the clock of " + name + " is " + span_words(skew < 0 ? -skew : skew) +
                         (skew < 0 ? " behind" : " ahead of") + " this machine's: lags in seconds are wrong by that",
                     "timedatectl set-ntp true, here and on " + name});
  }
}

}  // namespace report
