// `diff | apply -`: the standby mended where a comparison says that it differs. The lines tell where, not what: the
// rows they name are looked at again, some at a time, while the applier stands still, and what differs then is written
// before it goes on. So nothing that changed since the comparison is taken back, and nothing that was deleted since
// comes again. Owns the order of that and the record of it; the looking is recheck's, the writing apply's, the copying
// copy's.
#pragma once

#include <functional>
#include <string_view>

#include "apply/run.hpp"
#include "base/error.hpp"
#include "config/settings.hpp"

namespace compare {

using Print = std::function<void(std::string_view)>;

// `apply -`: a comparison's stream is mended by, any other one applied as it comes. With `print` nothing is done, and
// the SQL of it printed. Returns `finding` where rows that are written too often could not be settled, the
// standby refused some, or a table that is paused was left out.
base::Exit apply_stdin(const config::Settings& settings, const apply::Options& options, int fd, const Print& print);

}  // namespace compare
