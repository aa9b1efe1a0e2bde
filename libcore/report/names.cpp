#include <algorithm>
#include <utility>

#include "report/health.hpp"
#include "report/snapshot.hpp"

namespace report {

const char* name_of(Level level) {
  constexpr const char* names[] = {"ok", "warning", "critical", "unknown"};
  return names[static_cast<size_t>(level)];
}

const char* name_of(Health health) {
  constexpr const char* names[] = {"healthy", "warning", "critical", "offline"};
  return names[static_cast<size_t>(health)];
}

const Standby* Snapshot::slowest() const {
  const auto behind = [](const auto& a, const auto& b) {
    return std::pair(a.second.waiting, a.second.lag_seconds) < std::pair(b.second.waiting, b.second.lag_seconds);
  };
  const auto found = std::max_element(standbys.begin(), standbys.end(), behind);
  return found == standbys.end() ? nullptr : &found->second;
}

}  // namespace report
