// The snapshot as Prometheus text (version 0.0.4). Owns the metrics' names; all begin with pgtandem_, and what is not
// known has no sample. Table names are no labels: there may be many.
#pragma once

#include <string>

#include "report/snapshot.hpp"

namespace report {

std::string metrics_text(const Snapshot& snapshot);

}  // namespace report
