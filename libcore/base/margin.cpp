#include "base/margin.hpp"

namespace base {

Room room_on(uint64_t free, uint64_t total) {
  if (total == 0) return Room::enough;
  const double part = static_cast<double>(free) / static_cast<double>(total);
  return part < 0.02 ? Room::none : part < 0.1 ? Room::little : Room::enough;
}

}  // namespace base
