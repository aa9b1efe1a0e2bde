// Bytes in words, for people. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace base {

std::string size_text(uint64_t bytes);  // "17 bytes", "12.5 GiB"

}  // namespace base
