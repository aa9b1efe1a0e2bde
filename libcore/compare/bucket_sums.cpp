#include "compare/bucket_sums.hpp"

#include <charconv>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace compare {
namespace {

__extension__ typedef unsigned __int128 Wide;

// A range's groups cost as much as rows: below eight rows a group they would be what is measured.
uint64_t least_pages(const TableRead& table, const BucketPlan& plan) {
  if (table.rows < 1 || table.pages == 0) return 1;
  return static_cast<uint64_t>(8 * static_cast<double>(plan.count) * static_cast<double>(table.pages) / table.rows);
}

template <class Integer>
Integer number(std::string_view text) {
  Integer value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

void Sum::add(const Sum& other) {
  rows += other.rows;
  const Wide sum = ((Wide{high} << 64) | low) + ((Wide{other.high} << 64) | other.low);
  low = static_cast<uint64_t>(sum);
  high = static_cast<uint64_t>(sum >> 64);
}

Sum parse_sum(std::string_view digits) {
  const bool negative = !digits.empty() && digits[0] == '-';
  if (negative) digits.remove_prefix(1);
  Wide sum = 0;
  for (const char c : digits) sum = sum * 10 + static_cast<unsigned>(c - '0');
  if (negative) sum = -sum;
  return {0, static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64)};
}

std::string where_sql(std::initializer_list<std::string> conditions) {
  std::string out;
  for (const std::string& condition : conditions)
    if (!condition.empty()) out += (out.empty() ? " WHERE " : " AND ") + condition;
  return out;
}

std::string bucket_of_row(const Recipe& recipe) {
  switch (recipe.plan.by) {
    case BucketPlan::By::key_range:
      return bucket_sql(recipe.plan, recipe.key.front().sql);
    case BucketPlan::By::key_hash:
      return bucket_sql(recipe.plan, row_hash(recipe.key, recipe.digest));
    case BucketPlan::By::row:
      break;
  }
  return "";
}

std::string sums_sql(const TableRead& table, const Recipe& recipe, const std::string& range) {
  const std::string rows = " FROM " + table.from + where_sql({range, table.where}) + " OFFSET 0) AS r";
  const std::string hash = row_hash(recipe.columns, recipe.digest);
  const std::string bucket = bucket_of_row(recipe);
  if (!bucket.empty())
    return "SELECT b, count(*), sum(" + mixed("x", recipe.digest) + ") FROM (SELECT " + bucket + " AS b, " + hash +
           " AS x" + rows + " GROUP BY b";
  return "SELECT b, count(*), sum(m) FROM (SELECT " + bucket_sql(recipe.plan, "m") + " AS b, m FROM (SELECT " +
         mixed("x", recipe.digest) + " AS m FROM (SELECT " + hash + " AS x" + rows + " OFFSET 0) AS d OFFSET 0) AS g " +
         "GROUP BY b";
}

SumTasks::SumTasks(Side& side, const TableRead& table, const Recipe& recipe, Sums& sums, std::atomic<uint64_t>& rows)
    : side_(side),
      table_(table),
      recipe_(recipe),
      sums_(sums),
      rows_(rows),
      ranges_(table.pages, least_pages(table, recipe.plan), side.jobs(), table.ranges) {}

void SumTasks::add_to(std::vector<std::function<void()>>& tasks) {
  for (size_t job = 0; job < side_.jobs(); ++job) tasks.emplace_back([this, job] { run(job); });
}

void SumTasks::run(size_t job) {
  PageRanges::Range range;
  double took = 0;
  while (!should_end() && ranges_.next(range, took)) {
    const double began = base::monotonic_seconds();
    const pg::Result groups =
        side_.session(job).query_until_stopped(sums_sql(table_, recipe_, range_sql(range)), {}, should_end);
    if (!groups) break;
    took = base::monotonic_seconds() - began;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < groups.rows(); ++i) {
      Sum part = parse_sum(groups.get(i, 2));
      part.rows = number<uint64_t>(groups.get(i, 1));
      uint64_t bucket = 0;
      if (!recipe_.plan.index_of(number<int64_t>(groups.get(i, 0)), bucket))
        throw Inconsistent(side_.node(), "the key's index does not know of a row that the table has; REINDEX TABLE");
      sums_[bucket].add(part);
      rows += part.rows;
      // A data row's head and the length of each field (the protocol's message DataRow).
      bytes += 7 + 12 + groups.get(i, 0).size() + groups.get(i, 1).size() + groups.get(i, 2).size();
    }
    side_.received += bytes;
    rows_ += rows;
  }
}

}  // namespace compare
