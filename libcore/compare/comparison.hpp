// Two servers made ready to be compared: the tables that are asked for, sessions on both sides that see one cut, and
// each table's shape on both. Owns them, and every check that is made before the first row is read. For diff and
// verify.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/table_name.hpp"
#include "compare/cut.hpp"
#include "compare/pairing.hpp"
#include "compare/paused.hpp"
#include "compare/self_test.hpp"
#include "compare/side.hpp"
#include "config/settings.hpp"

namespace compare {

struct Asked {
  std::string node;                 // the standby; empty: as Settings::secondary() picks it
  std::vector<std::string> tables;  // as SQL names them, each one of sync_tables; empty: all of them
  uint64_t jobs = 1;                // sessions a side
  bool exact = true;                // false: an exact cut is not even tried
  bool rechecks = false;            // the asker looks again at what differs where the cut is not exact
};

// The tables of `texts`, each one of sync_tables; all of those where there is none. Throws Error(usage).
std::vector<base::TableName> chosen_tables(const config::Settings& settings, const std::vector<std::string>& texts);

// What a look at another table would not meet: a server's refusal to give rows (bytes of no encoding, a row of more
// than it can print, a damaged page), or an index that is broken.
bool is_unreadable(const base::Error& why);

class Comparison {
 public:
  // Throws Error(usage) for a table that is not synced, base::Transient when a server is away after the retries.
  Comparison(const config::Settings& settings, const Asked& asked);

  Side& primary() { return opened_->primary; }
  Side& standby() { return opened_->standby; }
  Digest digest() const { return opened_->digest; }
  Cut& cut() { return opened_->cut; }
  const std::vector<base::TableName>& tables() const { return tables_; }
  std::vector<Pairing>& pairings() { return pairings_; }  // as tables()
  // Of the tables that were asked for those that are paused on the standby, which tables() goes without: a warning told
  // of each, and whoever says that all is equal has to think of them.
  const PausedTables& paused() const { return paused_; }
  // Of the tables that were asked for those that cannot be compared: tables() goes without those that were known before
  // the first was read, and the run is to end with them.
  const NotCompared& not_compared() const { return not_compared_; }
  // Where `why` is of that table, or of a row in it, and its reading was broken off by it: the table is one of those,
  // too, and the others can be read on. Else throws it; to be called while it is being caught.
  void leave_out(const base::TableName& table, const base::Error& why);
  // Sessions of which nothing is known begin anew, at the same cut.
  void look_again();
  // After a table was read: throws Error(try_later) where partitions came to it, or went, since the cut.
  void check_parts(const base::TableName& table);
  // All sessions end, with their snapshots and locks; of the above only names and pairings stay.
  void leave() { opened_.reset(); }

 private:
  // All that has to be open at once; made again as a whole where a server was away.
  struct Opened {
    Side primary;
    Side standby;
    Digest digest;
    Cut cut;
    Opened(const config::Settings& settings, const Asked& asked, const std::vector<base::TableName>& tables);
  };
  std::unique_ptr<Opened> open(const config::Settings& settings, const Asked& asked) const;
  void leave_paused_out(const config::Settings& settings);
  void pair_all(const config::Settings& settings);

  std::vector<base::TableName> tables_;
  PausedTables paused_;
  NotCompared not_compared_;
  std::unique_ptr<Opened> opened_;
  std::vector<Pairing> pairings_;
};

}  // namespace compare
