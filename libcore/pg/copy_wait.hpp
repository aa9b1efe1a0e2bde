// The wait for more of a COPY … TO STDOUT. For the files of COPY out only.
#pragma once

#include <functional>
#include <string>

#include "pg/session.hpp"

namespace pg {

// Returns when bytes have arrived, or perhaps none. A request to stop cancels the COPY on the server and throws
// Error(try_later) with `stopped`, and so does it when `enough`, which is asked several times a second; throws as
// Session does.
void wait_for_copy(Session& session, const std::string& stopped, const std::function<bool()>& enough = {});
// The same for a stop that was seen elsewhere.
[[noreturn]] void stop_copy(Session& session, const std::string& stopped);

}  // namespace pg
