// `status serve`: the API, the metrics and the page, until it is stopped. Owns the order in which it begins: its lock,
// the token, the ports, the first look. One at a time for a state directory.
#pragma once

#include "config/settings.hpp"

namespace http {

// Returns when a stop was requested. Throws Error: try_later where another one runs, config or no_right for the token,
// and what listen_on() throws.
void serve(const config::Settings& settings);

}  // namespace http
