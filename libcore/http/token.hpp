// The token that a POST must carry. Owns the rules for its file; the comparing is the guard's.
#pragma once

#include <filesystem>
#include <string>

namespace http {

// The first line of the file, without blanks at its ends. Throws Error(config) where there is no such file or the token
// in it is none to trust (shorter than 16 characters, or with blanks or control characters), Error(no_right) where
// others than its owner can open it, or where we cannot. No message holds any of it.
std::string read_token(const std::filesystem::path& file);

}  // namespace http
