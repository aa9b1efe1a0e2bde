// `status check`: are configuration, servers, rights, keys and schemas fit? Owns the order of the looks; each of them
// tries things out and leaves both servers and this machine as they were. Prints nothing.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "check/finding.hpp"
#include "config/settings.hpp"

namespace check {

struct Result {
  Findings findings;
  base::Exit exit =
      base::Exit::done;  // finding: an error or a warning; that of the failure where no server was reached
};
// `node`: only this standby; empty: all of them. Throws Error as Settings::primary() and secondary() do. Takes at most
// about a minute, whatever the servers do.
Result run(const config::Settings& settings, const std::string& node);

}  // namespace check
