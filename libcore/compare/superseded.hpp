// What is held in quarantine of rows that are as on the primary now: a retry would take them back. Owns the decision
// which letters those are. For the repair.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "spool/dead.hpp"

namespace compare {

using MendedRows = std::map<const change::Relation*, std::vector<uint64_t>>;  // apply::key_hash() of each

// All letters on one of the rows leave quarantine. It may tell rows apart by other columns than a comparison does.
void supersede(const std::filesystem::path& spool, const std::string& node, const MendedRows& mended);
// This one does.
void supersede(const std::filesystem::path& spool, const std::string& node, const spool::DeadLetter& letter);

}  // namespace compare
