#include "apply/milestone.hpp"

#include <algorithm>
#include <optional>

#include "base/clock.hpp"
#include "spool/prune.hpp"

namespace apply {
namespace {
// s between durable commits, and cursor files after them, under load: the commits between wait for no disk.
constexpr double set_every = 1;
constexpr double prune_every = 2;  // s
}  // namespace

bool Milestone::is_due() const { return base::monotonic_seconds() - set_ >= set_every; }

void Milestone::set(const Position& at, change::Lsn covered, const Tables& tables) {
  if (cursor_ == nullptr) return;
  covered_ = std::max({covered_, covered, at.end_lsn});
  std::optional<change::Lsn> paused;
  for (const auto& [table, what] : tables.paused()) paused = std::min(paused.value_or(at.lsn), what.at.lsn);
  cursor_->publish({at.lsn, covered_, at.operations, at.time, paused});
  set_ = base::monotonic_seconds();
  if (set_ - pruned_ < prune_every) return;
  spool::prune(settings_);
  pruned_ = set_;
}

}  // namespace apply
