// The switch that people turn: whether sync runs by itself, in services and timers. Owns STATE/switches.json, which
// says who turned it, when and why; without that file the configuration's auto_sync_enabled counts, with it the file
// does. Anybody may read and turn it, at any moment: it is replaced as one step. What acts on it is Gate (gate.hpp).
#pragma once

#include <filesystem>
#include <string>

namespace state {

struct AutoSync {
  bool enabled = true;
  std::string by;      // "alice@host", or "api@192.0.2.5"; empty: it was never turned, the configuration says so
  std::string since;   // RFC 3339 UTC; empty as `by`
  std::string reason;  // may be empty
};

// As it is now. `configured` is synchronization.auto_sync_enabled. Throws Error(data) naming the file and what to do
// where it is damaged, or of another version than ours.
AutoSync auto_sync(const std::filesystem::path& state, bool configured);

struct Turned {
  AutoSync now;
  bool changed = false;  // false: it stood there already, since then and by that one; nothing was written
};
// Durable when it returns. A damaged file is replaced.
Turned turn_auto_sync(const std::filesystem::path& state, bool configured, bool enabled, const std::string& by,
                      const std::string& reason);

// "sync is disabled by alice@host since 2026-11-23T04:05:06Z (moving the disk)", "sync is enabled by the
// configuration".
std::string text_of(const AutoSync& now);
// {"auto_sync_enabled":false,"by":…,"since":…,"reason":…}: null where empty. One line, without its end.
std::string json_of(const AutoSync& now);

// Who runs this process, "alice@host"; who called sudo, where that is known.
std::string this_person();

// Pure. The text of the file, and back; `name` is for the error.
std::string switches_text(const AutoSync& now);
AutoSync parse_switches(const std::string& text, const std::string& name);

}  // namespace state
