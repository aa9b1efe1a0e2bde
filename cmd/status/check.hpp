// The command `status check`. Owns its options and how the findings are printed; the looks are libcore/check's. main()
// adds it.
#pragma once

#include "cli/tool.hpp"
#include "status/control.hpp"

namespace status {

void add_check(cli::Tool& tool, const Print& print);

}  // namespace status
