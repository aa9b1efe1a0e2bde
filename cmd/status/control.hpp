// The commands of status by which people turn what runs by itself: enable, disable, is-enabled, force-sync. Owns their
// options and the words that they print; what they do is libcore/state's. main() adds them.
#pragma once

#include <functional>
#include <string_view>

#include "cli/tool.hpp"

namespace status {

using Print = std::function<void(std::string_view)>;  // to standard output

void add_control(cli::Tool& tool, const Print& print);

}  // namespace status
