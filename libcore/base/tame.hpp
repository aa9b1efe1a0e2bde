// Text of others, a server's or a catalog's, made fit for a terminal and for a line. Pure.
#pragma once

#include <cstddef>
#include <string>

namespace base {

// What a terminal would obey (C0 and C1 control characters, a newline among them) becomes '?'. Cut to `width`
// characters of UTF-8, whole ones; 0: not at all.
std::string tame(const std::string& text, size_t width = 0);

}  // namespace base
