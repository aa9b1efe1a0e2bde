#include "spool/check.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "spool/cursor.hpp"
#include "spool/mark.hpp"
#include "spool/segment_reader.hpp"

namespace spool {
namespace fs = std::filesystem;
namespace {

class Check {
 public:
  Check(const config::Settings& settings, CheckResult& result)
      : settings_(settings), spool_(settings.spool.directory), mark_(require_mark(spool_)), result_(result) {}

  void run() {
    if (mark_has_damage(spool_))
      find(mark_path(spool_).string() + ": one of its two copies is damaged; the next `pgtandem queue put` mends it");
    for (const std::string& name : strange_names(spool_))
      find((segments_path(spool_) / name).string() + ": not a segment; move it away");
    for (Segment& segment : list_segments(spool_)) {
      if (segment.first > mark_.segment) break;  // being written, or left by a crash for the next put to mend
      if (segment.first == mark_.segment && segment.bytes < mark_.segment_bytes)
        find(segment.path.string() + ":" + std::to_string(segment.bytes) + ": the file ends here, but the mark calls " +
             std::to_string(mark_.segment_bytes) + " bytes durable");
      if (segment.first == mark_.segment) segment.bytes = std::min(segment.bytes, mark_.segment_bytes);
      guarded(segment, [&] { walk(segment); });
    }
    if (mark_.segment != last_.first)
      find(segments_path(spool_).string() + ": the newest segment, of " + mark_.segment.text() + ", is missing");
    for (const std::string& node : settings_.secondaries()) check_cursor(node);
  }

 private:
  void find(std::string what) { result_.findings.push_back(std::move(what)); }

  template <class Work>
  void guarded(const Segment& segment, Work work) {
    try {
      work();
    } catch (const base::Error& error) {
      if (!fs::exists(segment.path) && result_.segments == 0) return;  // pruned under our eyes
      find(error.what());
      end_.reset();  // what follows cannot be compared with it
    }
    last_ = segment;
    ++result_.segments;
    result_.bytes += segment.bytes;
  }

  void walk(const Segment& segment) {
    change::Reader parser("line");
    SegmentReader reader(segment, parser);
    reader.extend(segment.bytes);
    base::Arena arena;
    while (const change::Event* event = reader.next(arena, SegmentReader::Depth::parse)) {
      if (event->type == change::EventType::source) check_header(reader, *event);
      arena.reset();
    }
    if (!reader.whole()) reader.damaged("the segment ends before its last transaction does");
    const Tail& tail = reader.tail();
    result_.transactions += tail.transactions;
    result_.operations += tail.operations - header_operations_;
    end_ = tail;
    if (segment.first != mark_.segment) return;
    if (tail.chain != mark_.segment_chain || tail.commit_lsn != mark_.commit_lsn || tail.end_lsn != mark_.end_lsn ||
        tail.operations != mark_.operations)
      reader.damaged("the segment's end is not the one that the mark names");
  }

  void check_header(const SegmentReader& reader, const change::Event& header) {
    header_operations_ = header.operations;
    if (header.source != mark_.source)
      reader.damaged("it comes from " + header.source.id() + ", the spool from " + mark_.source.id());
    if (result_.segments == 0) begin_ = header.lsn;
    if (end_ && (header.lsn != end_->end_lsn || header.operations != end_->operations))
      find(reader.segment().path.string() + ":0: it goes on after " + header.lsn.text() + " and " +
           std::to_string(header.operations) + " operations, but the segment before it ends at " +
           end_->end_lsn.text() + " and " + std::to_string(end_->operations) + ": one between them is missing");
  }

  void check_cursor(const std::string& node) {
    try {
      const std::optional<Cursor> cursor = read_cursor(spool_, node);
      if (!cursor) return;
      // Read after the mark, so it may be ahead of it where both move: look at a newer mark before calling it wrong.
      if (cursor->lsn > mark_.commit_lsn && cursor->lsn > require_mark(spool_).commit_lsn)
        find(cursor_path(spool_, node).string() + ": " + node + " is at " + cursor->lsn.text() +
             ", the spool ends before it; was an older spool put back?");
      if (begin_ && cursor->end_lsn < *begin_)
        find(cursor_path(spool_, node).string() + ": " + node + " is at " + cursor->end_lsn.text() +
             ", the spool begins after it at " + begin_->text() + ": what it needs next is gone; " + link_anew);
    } catch (const base::Error& error) {
      find(error.what());
    }
  }

  const config::Settings& settings_;
  const fs::path& spool_;
  const Mark mark_;
  CheckResult& result_;
  Segment last_;
  std::optional<change::Lsn> begin_;  // the first segment's header
  std::optional<Tail> end_;           // of the segment before, where that is sound
  uint64_t header_operations_ = 0;
};

}  // namespace

CheckResult check(const config::Settings& settings) {
  CheckResult result;
  Check(settings, result).run();
  return result;
}

std::string check_text(const CheckResult& result) {
  if (result.findings.empty())
    return "ok: " + std::to_string(result.segments) + " segments, " + std::to_string(result.transactions) +
           " transactions, " + std::to_string(result.operations) + " operations, " + std::to_string(result.bytes) +
           " bytes\n";
  std::string out;
  for (const std::string& finding : result.findings) out += finding + "\n";
  return out;
}

}  // namespace spool
