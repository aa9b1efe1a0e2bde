// Removes segments that every standby has applied. Owns the rule of what may go; `queue prune`, apply and a full
// `queue put` call it, at the same time if need be.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace spool {

// For what room is wanted: to be neat, or because there is none. Segments that the next full pass wants to read (see
// proof.hpp) are then the first to go.
enum class Short { no, yes };

// Names of the segments removed, oldest first. A segment goes when every secondary has applied a transaction after it,
// the next full pass does not want it, and spool.retain seconds have passed since the first was seen; never the newest
// one, and nothing as long as a secondary has no readable cursor. What is kept for the full pass alone is one segment,
// or a tenth of spool.max_bytes at most; where it gets more all of it goes, for a part is of no use.
std::vector<std::string> prune(const config::Settings& settings, Short room = Short::no);
std::string prune_text(const config::Settings& settings);  // the same, a line each

}  // namespace spool
