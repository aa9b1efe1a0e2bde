// Into which buckets the rows of a table fall, so that a difference is in few of them. Owns the one rule for both
// sides; it knows neither order nor collation: a key that is an integer falls by its upper bits, so that a bucket is a
// range of the key's index, any other by its hash, a row without a key by its digest. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace compare {

// Rows in a bucket: fewer cost groups on the servers, more are read again for one difference.
constexpr double bucket_rows = 64;
// Groups cost a server 300 bytes each, and us 40 on the wire for each range of pages.
constexpr uint64_t max_buckets = 65536;

struct BucketPlan {
  enum class By : uint8_t { key_range, key_hash, row } by = By::row;
  int shift = 0;       // key_range: bucket = (key >> shift) - first
  int64_t first = 0;   // key_range
  uint64_t count = 1;  // of buckets; a power of two but for key_range

  // The bucket of a row by what bucket_sql() gave for it; false where there is no such bucket.
  bool index_of(int64_t value, uint64_t& index) const;
  // key_range: the least and the greatest key of a bucket.
  int64_t least(uint64_t bucket) const;
  int64_t greatest(uint64_t bucket) const;
};

BucketPlan plan_by_hash(BucketPlan::By by, double rows);
// Keys from `least` to `greatest` on either side. Keys that lie so far apart that ranges would hold them unevenly fall
// by hash.
BucketPlan plan_by_range(int64_t least, int64_t greatest, double rows);

// `key`: the key's column (key_range), or the joined hash of the key's columns or of the row. A bigint.
std::string bucket_sql(const BucketPlan& plan, const std::string& key);

}  // namespace compare
