// The second pass: the rows of buckets that disagree, each by its key, its digest and its place, and which of them
// differ. Owns the choice between the key's index and another reading of the pages, and what a row's place is; memory
// is bounded by parts of the keys, which go by way of a file where they are many.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "change/change.hpp"
#include "compare/bucket_sums.hpp"
#include "compare/spill.hpp"

namespace compare {

// A row's address, the same for as long as the snapshot is open: its leaf table's OID and its ctid there.
struct Place {
  std::string leaf;
  std::string ctid;
};

struct Found {
  // The key's values one after the other, each with its length before it; see read_key().
  std::string key;
  Place primary;  // where it is there
  Place standby;
  uint64_t copies = 1;  // of a row without a key
};
// Takes apart Found::key; values point into it.
void read_key(const std::string& key, std::vector<change::Value>& values);

struct Differences {
  std::vector<Found> extra;    // rows that only the standby has, or has more copies of
  std::vector<Found> changed;  // their digests differ
  std::vector<Found> missing;
};

class Suspects {
 public:
  // `dirty`: buckets of the recipe's plan; `primary_sums` and `standby_sums` are what the first pass found in all.
  Suspects(const Recipe& recipe, std::vector<uint64_t> dirty, const Sums& primary_sums, const Sums& standby_sums);

  // Reads them on both sides at once. Throws Inconsistent, as match() does, where that is not what the sums are of.
  void collect(Side& primary, const TableRead& primary_table, Side& standby, const TableRead& standby_table,
               const std::function<void()>& meanwhile);
  // Then gives what differs, part by part.
  void match(const std::function<void(const Differences&)>& take);

 private:
  struct Reading;
  void read(Reading& reading, size_t job, const std::string& query);
  std::vector<std::string> queries(const TableRead& table, const Sums& sums, size_t jobs) const;
  std::vector<std::string> index_queries(const TableRead& table) const;
  std::string page_query(const TableRead& table, const std::string& range) const;
  void match_keys(size_t part, Differences& differences);
  void match_copies(size_t part, Differences& differences);

  const Recipe& recipe_;
  std::vector<uint64_t> dirty_;
  const Sums& primary_sums_;
  const Sums& standby_sums_;
  std::string primary_node_;
  std::string standby_node_;
  Spill primary_;
  Spill standby_;
};

}  // namespace compare
