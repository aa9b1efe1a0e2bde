// How far back the next full pass wants to read the stream, so that it can prove the rows touched since the last one in
// the place of all rows. Owns proofs/<node>. It asks for a favour: the segments are kept as long as they take little
// room, and where they go the wish goes with them. The pass writes it, prune reads it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace spool {

// Everything that commits at or after `lsn` is wanted.
void want_from(const std::filesystem::path& spool, const std::string& node, change::Lsn lsn);
bool is_wanted(const std::filesystem::path& spool, const std::string& node);
// The lowest of all secondaries; nothing where none wants anything. A damaged file counts as none.
std::optional<change::Lsn> wanted_from(const config::Settings& settings);
void forget_wanted(const config::Settings& settings);

}  // namespace spool
