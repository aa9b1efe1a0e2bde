// The first pass: what each bucket of a table holds on one side, as a count and a sum of digests. Owns the statement of
// the pass and the adding of its parts; reads each page of the table once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "compare/bucket_plan.hpp"
#include "compare/page_ranges.hpp"
#include "compare/row_digest.hpp"
#include "compare/side.hpp"
#include "compare/table_read.hpp"

namespace compare {

// What is read of a table by its key is not what its pages have: an index that is broken, or a key that is none. Then
// nothing can be said of it, least of all that it is equal.
class Inconsistent : public base::Error {
 public:
  Inconsistent(const std::string& node, const std::string& what) : Error(base::Exit::data, node + ": " + what) {}
};

// What both sides are asked for.
struct Recipe {
  BucketPlan plan;
  Digest digest = Digest::native;
  std::vector<DigestColumn> columns;
  std::vector<DigestColumn> key;
  std::string key_column;  // quoted; by key_range
};

struct Sum {
  uint64_t rows = 0;
  // Of the digests, modulo 2^128: of 2^64 rows the sum is exact.
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Sum&) const = default;
  void add(const Sum& other);
};
using Sums = std::vector<Sum>;

// A decimal number, perhaps negative, as the server writes a sum; modulo 2^128.
Sum parse_sum(std::string_view digits);

// "WHERE a AND b", of those that are not empty.
std::string where_sql(std::initializer_list<std::string> conditions);
// The expression that tells a row's bucket over the table's columns; nothing for BucketPlan::By::row.
std::string bucket_of_row(const Recipe& recipe);
std::string sums_sql(const TableRead& table, const Recipe& recipe, const std::string& range);

// Tasks for run_together(), one a session; `sums` has plan.count entries, `rows` counts up. Both must outlive them.
class SumTasks {
 public:
  SumTasks(Side& side, const TableRead& table, const Recipe& recipe, Sums& sums, std::atomic<uint64_t>& rows);
  void add_to(std::vector<std::function<void()>>& tasks);

 private:
  void run(size_t job);

  Side& side_;
  const TableRead& table_;
  const Recipe& recipe_;
  Sums& sums_;
  std::atomic<uint64_t>& rows_;
  PageRanges ranges_;
  std::mutex mutex_;
};

}  // namespace compare
