// Bytes and counts in words, for people. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace base {

std::string size_text(uint64_t bytes);                     // "17 bytes", "12.5 GiB"
std::string count_words(uint64_t count, const char* one);  // "1 table", "3 tables"

}  // namespace base
