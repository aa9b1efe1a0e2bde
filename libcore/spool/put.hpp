// A stream of changes into the spool: checked, made durable, published. Owns the spool's lock while it runs, and every
// decision about when to sync, publish and wait. `queue put` calls it; there is never a second one on the same spool.
#pragma once

#include <cstdint>

#include "config/settings.hpp"

namespace spool {

struct PutResult {
  uint64_t transactions = 0;  // made durable
  uint64_t operations = 0;
  uint64_t repeated = 0;  // transactions that were here already, and were left out
};

// Reads `input` to its end or to a request to stop, and returns when every whole transaction in it is durable; an
// unfinished one at the end is cut off, for its slot sends it again. Waits while the spool or the disk is full. Throws
// Error: try_later when another put runs; data "stdin:LINE:POSITION: what" for a line that is not the change format
// (what was whole before it is durable all the same), for a stream of another source, and for one that leaves a gap; io
// when the disk fails, after which nothing more is published.
PutResult put(int input, const config::Settings& settings);

}  // namespace spool
