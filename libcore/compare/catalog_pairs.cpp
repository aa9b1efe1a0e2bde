#include "compare/catalog_pairs.hpp"

#include "base/error.hpp"
#include "base/retry.hpp"

namespace compare {

CatalogPairs::CatalogPairs(const config::Settings& settings, const std::string& node) : settings_(settings) {
  const pg::SessionOptions how{.purpose = "pgtandem verify", .answer_timeout = settings.synchronization.sync_timeout};
  base::Backoff backoff(settings.synchronization.max_retry_attempts, settings.synchronization.retry_delay);
  for (;;) {
    try {
      primary_ = std::make_unique<pg::Session>(settings.primary(), how);
      standby_ = std::make_unique<pg::Session>(settings.secondary(node), how);
      return;
    } catch (const base::Transient& failure) {
      if (!backoff.wait(failure.what())) throw;
    }
  }
}

const Pairing& CatalogPairs::of(const base::TableName& table) {
  if (const auto found = pairs_.find(table); found != pairs_.end()) return found->second;
  return pairs_.emplace(table, read_pairing(*primary_, *standby_, table, settings_)).first->second;
}

}  // namespace compare
