// Whether bytes are UTF-8 as the Unicode standard has it: no overlong forms, no surrogates, nothing above U+10FFFF.
// Pure; for text that comes from outside and goes to PostgreSQL, which refuses anything else.
#pragma once

namespace base {

// The first byte that does not belong to a whole, well-formed character, or nullptr where all of [at, end) is UTF-8.
const char* find_bad_utf8(const char* at, const char* end);

}  // namespace base
