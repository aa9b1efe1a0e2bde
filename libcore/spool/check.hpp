// Proof that the spool holds what it says: every byte that the mark calls durable is read, every checksum, place and
// count compared. Looks only; works beside a running writer and beside a prune.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace spool {

struct CheckResult {
  std::vector<std::string> findings;  // a line each; empty when all is well
  uint64_t segments = 0;
  uint64_t transactions = 0;  // in them
  uint64_t operations = 0;
  uint64_t bytes = 0;
};

// Throws Error only where the spool is not founded or cannot be read at all.
CheckResult check(const config::Settings& settings);
// The findings, or one line that begins with "ok".
std::string check_text(const CheckResult& result);

}  // namespace spool
