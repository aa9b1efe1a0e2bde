// The pages of a table handed out in ranges to sessions that ask, so that none waits while another has work left. Owns
// how large a range is: about a second's work, by what the last one took; all of it for one session and up to 1 GiB.
// For a sequential scan reads through a small ring of buffers, where one by TIDs takes the server's cache for what it
// reads (initscan() in heapam.c: a TID range scan has no access strategy), and costs a tenth more. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace compare {

class PageRanges {
 public:
  // `least`: pages below which a range is not worth its groups. Without `divisible` all pages are one range.
  PageRanges(uint64_t pages, uint64_t least, size_t sessions, bool divisible);

  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
    bool last = false;  // it has no end: whatever lies behind belongs to it
  };
  // False when there is none left. `took`: seconds that the caller's last range took; 0 at its first.
  bool next(Range& range, double took);

 private:
  std::mutex mutex_;
  uint64_t at_ = 0;
  const uint64_t pages_;
  const uint64_t least_;
  uint64_t size_;
  const size_t sessions_;
  const bool divisible_;
  bool ended_ = false;
};

// The condition on ctid for a range; empty for all of a table.
std::string range_sql(const PageRanges::Range& range);

}  // namespace compare
