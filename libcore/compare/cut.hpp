// Both sides as they are at one moment: the sessions that hold a snapshot of each open. Here the two are taken one
// after the other, so what is written in between, or still on its way to the standby, shows as different.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace compare {

struct CutOptions {
  std::string primary;                  // empty: the one of that role
  std::string node;                     // the standby; empty: as Settings::secondary() picks it
  std::vector<base::TableName> tables;  // to be looked at
};

class Cut {
 public:
  Cut(const config::Settings& settings, const CutOptions& options);
  ~Cut();
  Cut(const Cut&) = delete;

  change::Lsn lsn() const;
  bool exact() const;
  const std::string& why_not() const;  // it is not exact
  // For SET TRANSACTION SNAPSHOT in other sessions, which must be at REPEATABLE READ; as long as this object lives.
  const std::string& primary_snapshot() const;
  const std::string& standby_snapshot() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace compare
