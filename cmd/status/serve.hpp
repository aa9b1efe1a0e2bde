// `status serve`: the HTTP API, the metrics and the page. Owns the command; what it does is libcore/http's. main() adds
// it.
#pragma once

#include "cli/tool.hpp"

namespace status {

void add_serve(cli::Tool& tool);

}  // namespace status
