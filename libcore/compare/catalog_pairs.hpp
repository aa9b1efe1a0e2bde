// Table pairs by name, each read from both servers' catalogs when it is first asked for. Owns two sessions without a
// snapshot; for who looks at single rows, not at a cut.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/table_name.hpp"
#include "compare/pairing.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace compare {

class CatalogPairs {
 public:
  // Connects; throws as pg::Session does, after the retries.
  CatalogPairs(const config::Settings& settings, const std::string& node);

  // Valid as long as this object. Throws as read_pairing().
  const Pairing& of(const base::TableName& table);
  pg::Session& primary() { return *primary_; }
  pg::Session& standby() { return *standby_; }

 private:
  const config::Settings& settings_;
  std::unique_ptr<pg::Session> primary_;
  std::unique_ptr<pg::Session> standby_;
  std::map<base::TableName, Pairing> pairs_;
};

}  // namespace compare
