// The part of a snapshot that lies on this machine: the spool, and what the tools left in the state directory. Whatever
// cannot be read is told in the snapshot, nothing here throws. For snapshot.cpp.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "report/ask.hpp"
#include "report/snapshot.hpp"

namespace report {

// The switch, the passes, and the standbys' records, marks and proofs.
void look_at_state(const config::Settings& settings, Snapshot& out);
// The services that run, and whether their configuration was edited since they read it.
void look_at_services(const config::Settings& settings, Snapshot& out);
// The spool, and how far each standby is in it; `answers` go before what cursors say. The servers have to be asked
// before: only then "has all that the primary had when it was asked" can be said.
void look_at_spool(const config::Settings& settings, const std::map<std::string, Answer>& answers, Snapshot& out);

// When the file was last written to; nothing where it is not, or may not be seen.
Time changed(const std::filesystem::path& file);

// Runs `read`; what it throws goes to `unreadable`, under the name of the file, where removing that would mend it.
template <class Read>
void look(Snapshot& out, const std::filesystem::path& file, const Read& read) {
  try {
    read();
  } catch (const base::Error& error) {
    // Nobody is told to remove what we may only not read.
    const bool no_right = error.kind() == base::Exit::no_right;
    out.unreadable.push_back({no_right ? "" : file.string(), error.what(), no_right});
  } catch (const std::exception& error) {
    out.unreadable.push_back({file.string(), error.what(), false});
  }
}

}  // namespace report
