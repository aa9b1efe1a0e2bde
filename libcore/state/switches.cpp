#include "state/switches.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

namespace state {
namespace {

using nlohmann::ordered_json;

constexpr int version = 1;

std::filesystem::path switches_path(const std::filesystem::path& state) { return state / "switches.json"; }

ordered_json or_null(const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); }
std::string text_or_empty(const ordered_json& json) { return json.is_null() ? "" : json.get<std::string>(); }

ordered_json to_json(const AutoSync& now) {
  return {{"auto_sync_enabled", now.enabled},
          {"by", or_null(now.by)},
          {"since", or_null(now.since)},
          {"reason", or_null(now.reason)}};
}

// A name or a reason comes from people: what is not UTF-8 in it must not cost us the switch.
std::string dumped(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// Two who turn the switch at once: one after the other, and the second sees what the first did.
base::Fd turn_lock(const std::filesystem::path& state) {
  const std::filesystem::path file = state / "switches.lock";
  base::Fd fd = base::open_file(file, O_RDWR | O_CREAT);
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) base::throw_errno("cannot lock " + file.string());
  return fd;
}

}  // namespace

std::string switches_text(const AutoSync& now) {
  return dumped(ordered_json({{"version", version}, {"auto_sync", to_json(now)}})) + "\n";
}

AutoSync parse_switches(const std::string& text, const std::string& name) {
  const std::string mend = "; turn it again (pgtandem status enable, or disable)";
  try {
    const ordered_json json = ordered_json::parse(text);
    if (json.at("version") != version)
      throw base::Error(base::Exit::data, name + " was written by another version of pgtandem" + mend);
    const ordered_json& sync = json.at("auto_sync");
    AutoSync now;
    now.enabled = sync.at("auto_sync_enabled").get<bool>();
    now.by = text_or_empty(sync.at("by"));
    now.since = text_or_empty(sync.at("since"));
    now.reason = text_or_empty(sync.at("reason"));
    return now;
  } catch (const ordered_json::exception&) {
    throw base::Error(base::Exit::data, name + " is damaged, and does not tell whether sync is enabled" + mend);
  }
}

AutoSync auto_sync(const std::filesystem::path& state, bool configured) {
  const std::filesystem::path file = switches_path(state);
  if (const std::optional<std::string> text = base::read_file(file)) return parse_switches(*text, file.string());
  AutoSync now;
  now.enabled = configured;
  return now;
}

Turned turn_auto_sync(const std::filesystem::path& state, bool configured, bool enabled, const std::string& by,
                      const std::string& reason) {
  base::make_directories(state);
  const base::Fd lock = turn_lock(state);
  try {
    const AutoSync now = auto_sync(state, configured);
    if (now.enabled == enabled && !now.by.empty()) return {now, false};
  } catch (const base::Error& damaged) {
    if (damaged.kind() != base::Exit::data) throw;
  }
  AutoSync turned;
  turned.enabled = enabled;
  turned.by = by;
  turned.since = base::iso_time(base::unix_microseconds());
  turned.reason = reason;
  base::replace_file(switches_path(state), switches_text(turned), base::Durable::yes);
  return {turned, true};
}

std::string text_of(const AutoSync& now) {
  std::string text = std::string("sync is ") + (now.enabled ? "enabled" : "disabled");
  if (now.by.empty()) return text + " by the configuration (auto_sync_enabled)";
  text += " by " + now.by + " since " + now.since.substr(0, 19) + "Z";
  return now.reason.empty() ? text : text + " (" + now.reason + ")";
}

std::string json_of(const AutoSync& now) { return dumped(to_json(now)); }

std::string this_person() {
  const passwd* user = ::getpwuid(::geteuid());
  std::string name = user != nullptr ? user->pw_name : std::to_string(::geteuid());
  if (const char* caller = std::getenv("SUDO_USER"); ::geteuid() == 0 && caller != nullptr && *caller != 0)
    name = caller;
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return name;
  return name + "@" + host.data();
}

}  // namespace state
