#include "check/check.hpp"

#include <vector>

#include "base/clock.hpp"
#include "check/link.hpp"
#include "check/local.hpp"
#include "check/server.hpp"
#include "check/side.hpp"
#include "check/tables.hpp"

namespace check {
namespace {

constexpr double enough = 45;  // s after which no further look is begun

std::optional<ServerFacts> facts_of(Side& side, Findings& findings) {
  std::optional<ServerFacts> facts;
  side.look("server", [&](pg::Session& session) { facts = read_server(session); });
  if (facts) judge_server(*facts, side.node(), findings);
  return facts;
}

}  // namespace

Result run(const config::Settings& settings, const std::string& node) {
  const double until = base::monotonic_seconds() + enough;
  Result result;
  Findings& findings = result.findings;
  std::vector<std::string> standbys = settings.secondaries();
  if (!node.empty() || standbys.empty()) standbys = {settings.secondary(node).name};
  Side primary(settings.primary(), until, findings);
  look_at_machine(settings, findings);
  const std::optional<ServerFacts> there = facts_of(primary, findings);
  look_at_link(settings, primary, look_at_captured(settings, primary, findings), findings);
  bool reached = !primary.unreachable();
  for (const std::string& name : standbys) {
    Side standby(settings.secondary(name), until, findings);
    const std::optional<ServerFacts> here = facts_of(standby, findings);
    if (there && here) judge_both(*there, primary.node(), *here, standby.node(), findings);
    look_at_applied(settings, primary, standby, findings);
    look_at_standby(settings, standby, findings);
    reached = reached || !standby.unreachable();
  }
  if (!reached)
    result.exit = *primary.unreachable();
  else if (findings.count(Severity::error) + findings.count(Severity::warning) > 0)
    result.exit = base::Exit::finding;
  return result;
}

}  // namespace check
