// A program of the user's that is told something: lines on its stdin, nothing read back. Owns the words for how that
// may fail. For hooks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace base {

// Runs argv with `lines`, as run_child() does. Returns why it did not take all of it; empty when it did and ended
// with 0. `end`: what ends when `cancel_fd` becomes readable, as "apply".
std::string feed_program(const std::vector<std::string>& argv, std::string_view lines, double patience, int cancel_fd,
                         const std::string& end);

}  // namespace base
