// Buckets: where a row falls, and which keys a bucket holds.
#include <catch2/catch.hpp>

#include "compare/bucket_plan.hpp"
#include "compare/bucket_sums.hpp"
#include "compare/page_ranges.hpp"
#include "compare/progress.hpp"
#include "compare/spill.hpp"

using compare::BucketPlan;
using compare::PageRanges;

TEST_CASE("every key from the least to the greatest has its bucket, whose range holds it") {
  struct Case {
    int64_t least;
    int64_t greatest;
    double rows;
  };
  for (const auto& [least, greatest, rows] :
       {Case{1, 1500000, 1.5e6}, Case{-3000, 3000, 6000}, Case{5, 5, 1}, Case{-7, 0, 0},
        Case{INT64_MAX - 100000, INT64_MAX, 1e5}, Case{INT64_MIN, INT64_MIN + 100000, 1e5}, Case{0, 99999999, 1e8}}) {
    CAPTURE(least, greatest, rows);
    const BucketPlan plan = compare::plan_by_range(least, greatest, rows);
    REQUIRE(plan.by == BucketPlan::By::key_range);
    CHECK(plan.count <= compare::max_buckets);
    CHECK(rows / static_cast<double>(plan.count) < 64 * compare::bucket_rows);
    for (const int64_t key : {least, least + (greatest - least) / 3, greatest}) {
      uint64_t bucket = 0;
      REQUIRE(plan.index_of(key >> plan.shift, bucket));
      CHECK(plan.least(bucket) <= key);
      CHECK(plan.greatest(bucket) >= key);
      if (bucket > 0) CHECK(plan.greatest(bucket - 1) + 1 == plan.least(bucket));
    }
    uint64_t bucket = 0;
    if (least > INT64_MIN) CHECK_FALSE(plan.index_of((least >> plan.shift) - 1, bucket));
  }
}

TEST_CASE("keys that lie far apart fall by their hash, and a bucket has about 64 rows") {
  for (const auto& plan : {compare::plan_by_range(INT64_MIN, INT64_MAX, 1e6), compare::plan_by_range(0, 1LL << 60, 4)})
    CHECK(plan.by == BucketPlan::By::key_hash);
  CHECK(compare::plan_by_hash(BucketPlan::By::row, 0).count == 1);
  CHECK(compare::plan_by_hash(BucketPlan::By::row, 1e5).count == 2048);
  CHECK(compare::plan_by_hash(BucketPlan::By::row, 1e12).count == compare::max_buckets);
  CHECK(compare::bucket_sql(compare::plan_by_hash(BucketPlan::By::row, 1e5), "m") == "((m) & 2047)");
}

TEST_CASE("sums are added modulo 2^128, whatever their sign") {
  compare::Sum sum = compare::parse_sum("-1");
  CHECK(sum.low == UINT64_MAX);
  CHECK(sum.high == UINT64_MAX);
  sum.rows = 3;
  compare::Sum one = compare::parse_sum("1");
  one.rows = 1;
  sum.add(one);
  CHECK(sum == compare::Sum{4, 0, 0});
  // Beyond what a bigint holds, as the server's numeric has it.
  const compare::Sum wide = compare::parse_sum("340282366920938463463374607431768211455");
  CHECK(wide.low == UINT64_MAX);
  CHECK(wide.high == UINT64_MAX);
  CHECK(compare::parse_sum("18446744073709551616") == compare::Sum{0, 0, 1});
}

TEST_CASE("ranges of pages cover each page once, and the last has no end") {
  for (const size_t sessions : {size_t{1}, size_t{4}})
    for (const uint64_t pages : {uint64_t{0}, uint64_t{1}, uint64_t{200000}}) {
      CAPTURE(sessions, pages);
      PageRanges ranges(pages, 1, sessions, true);
      PageRanges::Range range;
      uint64_t at = 0;
      double took = 0;
      int count = 0;
      while (ranges.next(range, took)) {
        REQUIRE(range.begin == at);
        REQUIRE(range.end >= at);
        at = range.end;
        took = ++count % 3 == 0 ? 0.01 : 4;
        if (range.last) break;
      }
      CHECK(at == pages);
      CHECK(range.last);
      CHECK_FALSE(ranges.next(range, 1));
      if (pages == 200000) CHECK(count > 3);
    }
  CHECK(compare::range_sql({0, 9, false}) == "ctid >= '(0,0)' AND ctid < '(9,0)'");
  CHECK(compare::range_sql({5, 9, false}) == "ctid >= '(5,0)' AND ctid < '(9,0)'");
  CHECK(compare::range_sql({5, 9, true}) == "ctid >= '(5,0)'");
}

TEST_CASE("one range and no condition where a table cannot be divided, and for one session up to 1 GiB") {
  const auto all_at_once = [](uint64_t pages, size_t sessions, bool divisible) {
    PageRanges ranges(pages, 1, sessions, divisible);
    PageRanges::Range range;
    REQUIRE(ranges.next(range, 0));
    const bool more = ranges.next(range, 0);
    return !more && compare::range_sql(range).empty();
  };
  CHECK(all_at_once(1000000, 4, false));
  CHECK(all_at_once(131072, 1, true));
  CHECK_FALSE(all_at_once(131073, 1, true));
  CHECK_FALSE(all_at_once(131072, 2, true));
}

TEST_CASE("what was put aside comes back by part, in its order, also by way of the file") {
  for (const size_t memory : {size_t{1} << 20, size_t{10}}) {
    compare::Spill spill(3, memory);
    CHECK(spill.empty(0));
    std::string expected[3];
    for (int i = 0; i < 100; ++i) {
      const std::string record = "record " + std::to_string(i) + ";";
      spill.add(static_cast<size_t>(i % 3), record);
      expected[i % 3] += record;
    }
    for (size_t part = 0; part < 3; ++part) {
      std::string got;
      spill.read(part, [&](std::string_view some) { got += some; });
      CHECK(got == expected[part]);
    }
    CHECK_FALSE(spill.empty(0));
  }
}

TEST_CASE("progress tells rows, rate and the time left") {
  CHECK(compare::text_of({"public.t", 0, 3000, 0}) == "public.t: 0 of 3000 rows");
  CHECK(compare::text_of({"public.t", 1000, 3000, 2}) == "public.t: 1000 of 3000 rows, 500 a second, 5 s left");
  CHECK(compare::text_of({"public.t", 4000, 3000, 2}) == "public.t: 4000 of 4000 rows, 2000 a second");
}
