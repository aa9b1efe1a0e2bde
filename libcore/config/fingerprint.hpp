// Whether two readings of a configuration gave the same: a number over every key and value, in the file's order,
// passwords among them, and over no comment, blank or place. Pure. For config::load().
#pragma once

#include <cstdint>

#include "config/value.hpp"

namespace config {

uint64_t fingerprint(const Value& document);

}  // namespace config
