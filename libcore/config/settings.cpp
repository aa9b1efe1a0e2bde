#include "config/settings.hpp"

#include <charconv>
#include <cstdlib>
#include <limits>

#include "base/error.hpp"
#include "config/conninfo.hpp"
#include "config/nearest.hpp"

namespace config {
namespace {

using base::Error;
using base::Exit;

const char* role_name(Role role) { return role == Role::primary ? "primary" : "secondary"; }

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::vector<std::string> with_role(const Settings& settings, Role role) {
  std::vector<std::string> names;
  for (const auto& [name, node] : settings.nodes) {
    if (node.role == role) names.push_back(name);
  }
  return names;
}

const Node& named(const Settings& settings, const std::string& name, Role role) {
  const auto found = settings.nodes.find(name);
  if (found == settings.nodes.end()) {
    std::vector<std::string> names;
    for (const auto& [known, node] : settings.nodes) names.push_back(known);
    const std::string meant = nearest(name, names);
    throw Error(Exit::usage, "there is no node \"" + name + "\" in " + settings.file.string() + "; " +
                                 (meant.empty() ? "its nodes are " + listed(names) : "did you mean " + meant + "?"));
  }
  if (found->second.role == role) return found->second;
  const std::vector<std::string> names = with_role(settings, role);
  throw Error(Exit::usage, "node " + name + " is a " + role_name(found->second.role) + ", wanted is a " +
                               role_name(role) + "; name one of: " + (names.empty() ? "(none)" : listed(names)));
}

}  // namespace

const char* name_of(ConflictResolution resolution) {
  switch (resolution) {
    case ConflictResolution::primary_wins:
      return "primary_wins";
    case ConflictResolution::standby_wins:
      return "standby_wins";
    case ConflictResolution::newest_wins:
      return "newest_wins";
    case ConflictResolution::stop:
      break;
  }
  return "stop";
}

const Node& Settings::primary(const std::string& node) const {
  if (!node.empty()) return named(*this, node, Role::primary);
  const std::vector<std::string> names = with_role(*this, Role::primary);
  if (names.size() == 1) return nodes.at(names[0]);
  throw Error(Exit::config, file.string() + ": " +
                                (names.empty() ? "no node is the primary; give one role: primary"
                                               : "several nodes are primaries, " + listed(names) +
                                                     "; leave one, or name it with --node"));
}

const Node& Settings::secondary(const std::string& node) const {
  if (!node.empty()) return named(*this, node, Role::secondary);
  const auto local = nodes.find(local_node);
  if (local != nodes.end() && local->second.role == Role::secondary) return local->second;
  const std::vector<std::string> names = secondaries();
  if (names.size() == 1) return nodes.at(names[0]);
  throw Error(Exit::config,
              file.string() + ": " +
                  (names.empty() ? "no node is a secondary; give one role: secondary"
                                 : "several nodes are secondaries, " + listed(names) + "; name one with --node"));
}

std::vector<std::string> Settings::secondaries() const { return with_role(*this, Role::secondary); }

std::filesystem::path find_file(const std::string& option) {
  if (!option.empty()) return option;
  const char* const environment = std::getenv("PGTANDEM_CONFIG");
  return environment && *environment ? environment : "/etc/pgtandem/pgtandem.yaml";
}

int64_t parse_size(const std::string& text) {
  const std::string_view trimmed = trim(text);
  double value = 0;
  const auto [end, failed] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), value);
  const std::string_view unit = trim(trimmed.substr(static_cast<size_t>(end - trimmed.data())));
  const int shift = unit.empty() ? 0 : unit == "KiB" ? 10 : unit == "MiB" ? 20 : unit == "GiB" ? 30 : -1;
  const double bytes = value * static_cast<double>(int64_t{1} << (shift < 0 ? 0 : shift));
  // 2^53: a double counts whole bytes up to there, and nobody's disk is larger (8 PiB).
  const bool whole = bytes >= 0 && bytes <= 9007199254740992.0 &&
                     (shift > 0 || bytes == static_cast<double>(static_cast<int64_t>(bytes)));
  if (failed != std::errc() || shift < 0 || !whole) {
    throw Error(Exit::config, "no size: " + text + "; write bytes, or a number with KiB, MiB or GiB");
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace config
