#include "compare/bucket_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace compare {
namespace {

uint64_t buckets_for(double rows) {
  const double wanted = std::clamp(std::ceil(rows / bucket_rows), 1.0, static_cast<double>(max_buckets));
  return std::min(std::bit_ceil(static_cast<uint64_t>(wanted)), max_buckets);
}

}  // namespace

bool BucketPlan::index_of(int64_t value, uint64_t& index) const {
  index = static_cast<uint64_t>(value) - static_cast<uint64_t>(first);
  return index < count;
}

int64_t BucketPlan::least(uint64_t bucket) const {
  return static_cast<int64_t>((static_cast<uint64_t>(first) + bucket) << shift);
}

int64_t BucketPlan::greatest(uint64_t bucket) const {
  return static_cast<int64_t>(static_cast<uint64_t>(least(bucket)) + ((uint64_t{1} << shift) - 1));
}

BucketPlan plan_by_hash(BucketPlan::By by, double rows) {
  BucketPlan plan;
  plan.by = by;
  plan.count = buckets_for(rows);
  return plan;
}

BucketPlan plan_by_range(int64_t least, int64_t greatest, double rows) {
  const double span = static_cast<double>(greatest) - static_cast<double>(least) + 1;
  if (span / std::max(rows, 1.0) > 1024) return plan_by_hash(BucketPlan::By::key_hash, rows);
  BucketPlan plan;
  plan.by = BucketPlan::By::key_range;
  const uint64_t limit = buckets_for(rows);
  const auto buckets = [&] {
    return static_cast<uint64_t>(greatest >> plan.shift) - static_cast<uint64_t>(least >> plan.shift) + 1;
  };
  while (plan.shift < 62 && buckets() > limit) ++plan.shift;
  plan.first = least >> plan.shift;
  plan.count = buckets();
  return plan;
}

std::string bucket_sql(const BucketPlan& plan, const std::string& key) {
  if (plan.by == BucketPlan::By::key_range) return "(" + key + " >> " + std::to_string(plan.shift) + ")::bigint";
  return "((" + key + ") & " + std::to_string(plan.count - 1) + ")";
}

}  // namespace compare
