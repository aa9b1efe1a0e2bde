#include "spool/depth.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"

namespace spool {

Cursors read_cursors(const config::Settings& settings) {
  Cursors cursors;
  for (const std::string& node : settings.secondaries()) {
    std::optional<Cursor>& cursor = cursors.nodes[node];
    try {
      cursor = read_cursor(settings.spool.directory, node);
    } catch (const base::Error& error) {
      ++cursors.unreadable;
      base::log(base::Level::warn, error.what());
    }
  }
  return cursors;
}

Cursor Cursors::lowest() const {
  std::optional<Cursor> lowest;
  for (const auto& [node, cursor] : nodes) {
    if (!cursor) return {};
    if (!lowest || cursor->lsn < lowest->lsn) lowest = cursor;
  }
  return lowest.value_or(Cursor{});
}

change::Lsn Cursors::everywhere() const {
  change::Lsn out = lowest().lsn;
  for (const auto& [node, cursor] : nodes)
    if (cursor && cursor->paused) out = std::min(out, *cursor->paused);
  return out;
}

uint64_t waiting(const Mark& mark, uint64_t applied) {
  return mark.operations > applied ? mark.operations - applied : 0;
}

}  // namespace spool
