// One segment, from its first byte as far as the caller lets it see: lines out of plain or compressed bytes, each
// transaction's checksum and order verified. Owns the file and what of it is in memory, which is bounded; knows neither
// the mark nor other segments. reader, recover, list and check build on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "change/reader.hpp"
#include "spool/layout.hpp"

namespace spool {

// Where a segment stands after a whole transaction.
struct Tail {
  change::Lsn commit_lsn;
  change::Lsn end_lsn;
  uint64_t operations = 0;    // in the spool up to here, those before the segment included
  uint64_t transactions = 0;  // in this segment
  int64_t time = 0;           // of the last transaction
  uint64_t chain = 0;
  uint64_t bytes = 0;  // of the file
};

class SegmentReader {
 public:
  // What skim leaves out is parsing the changes: they are counted, and their checksum is verified all the same.
  enum class Depth { parse, skim };

  // `parser` keeps the shapes, so it must live as long as events are used. Throws Error when the file cannot be opened.
  SegmentReader(Segment segment, change::Reader& parser);
  ~SegmentReader();

  // Lets it see the file's first `bytes`; none before the first call.
  void extend(uint64_t bytes);

  // The next event, the first one being the header's source; nullptr at the end of what it may see. Under skim changes
  // are not returned. Throws Error(data) "FILE:BYTE: what" on damage; of a compressed segment BYTE is where the damaged
  // frame begins.
  const change::Event* next(base::Arena& arena, Depth depth);
  std::string_view line() const;  // that event's bytes, newline included

  const Segment& segment() const;
  uint64_t file_bytes() const;    // of the file now
  const Tail& tail() const;       // after the last commit returned
  const Tail& cut_point() const;  // the last place up to which the file alone is whole: a commit that ends a frame
  bool whole() const;             // nullptr was returned at such a place

  // An Error(data) naming this segment and the place reached.
  [[noreturn]] void damaged(const std::string& what) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spool
