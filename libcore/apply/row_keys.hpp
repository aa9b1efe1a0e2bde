// Which rows an operation has to do with: the one that it finds and, of an update, the one that it leaves, each as a
// hash of the values that tell its table's rows apart. Pure; for the quarantine, and for who mends what it holds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apply/piece.hpp"

namespace apply {

// By the key that it came with. Empty for a table without one.
std::vector<uint64_t> row_keys(const Operation& operation);
// By other columns. Empty where it does not carry all of their values.
std::vector<uint64_t> row_keys(const Operation& operation, const std::vector<std::string>& columns);

// The names of a relation's key.
std::vector<std::string> key_names(const change::Relation& relation);

}  // namespace apply
