// Rows named one by one, and whether each is on the standby as on the primary: by sums, at one cut for all of a batch
// (equal_rows.hpp), and what that leaves open by its values, at a later one (recheck.hpp), so rows that are written
// meanwhile are judged as of then. Owns the batches and the count; writes nothing on either server. For verify.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "compare/paused.hpp"
#include "compare/recheck.hpp"
#include "config/settings.hpp"

namespace compare {

class RowProof {
 public:
  RowProof(const config::Settings& settings, std::string node);

  // Where the values of keys that are added must lie; emptied by look().
  base::Arena& arena() { return arena_; }
  // A row by its key, as relation.key, in any version. The relation must outlive this object. Throws Error(data) for
  // one without a key.
  void add(const change::Relation& relation, std::span<const change::Value> key);
  // Whether a batch is full: call look() before adding to it.
  bool full() const;
  void look();

  // Those of the standby's tables that are paused now, after retries.
  PausedTables paused() const;
  // Rows of it are not judged: the answer says that it is paused.
  void leave_out(const std::string& table, const Paused& paused) { counts_[table].paused = paused; }

  // Marks the tables in which rows differ for the next full pass.
  void mark_tables() const;
  // After the last look(): done, finding where rows differ or a table is paused, try_later where some are written too
  // often to be sure of.
  base::Exit result() const;
  // "public.images  equal  100 rows" or "public.images  different  100 rows: 3 differ", a line each; or JSON.
  std::string text() const;
  std::string json() const;

 private:
  struct Count {
    uint64_t equal = 0;
    uint64_t different = 0;
    uint64_t unsettled = 0;
    uint64_t left_out = 0;              // by filters.program
    std::vector<std::string> examples;  // keys of the first that differ, as JSON
    std::optional<Paused> paused;       // then the others say nothing
  };
  // Again and again while it fails of what heals, as long as the configuration says.
  void patiently(const std::function<void()>& work) const;
  bool leave_equal_out();                                   // whether there was an exact cut
  void look_at(bool exact, std::span<const Suspect> rows);  // exact: a cut is tried

  const config::Settings& settings_;
  const std::string node_;
  base::Arena arena_;
  std::vector<Suspect> rows_;
  std::map<std::string, Count> counts_;  // by table
};

}  // namespace compare
