#include "spool/reader.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "change/writer.hpp"
#include "spool/layout.hpp"
#include "spool/segment_reader.hpp"

namespace spool {
namespace fs = std::filesystem;

struct Reader::State {
  fs::path spool;
  change::Lsn after;
  change::Lsn covered;
  Mark mark;
  change::Reader parser{"line"};
  std::unique_ptr<SegmentReader> segment;
  bool skipping = true;    // until the first transaction above `after`
  bool continues = false;  // the next segment's header must go on where the last one ended
  change::Lsn position;
  uint64_t operations = 0;
  bool at_commit = false;
  std::string commit_line;

  void open(Segment file) {
    segment = std::make_unique<SegmentReader>(std::move(file), parser);
    see();
  }
  // Of the newest segment as much as the mark calls durable; an older one is whole.
  void see() { segment->extend(segment->segment().first == mark.segment ? mark.segment_bytes : segment->file_bytes()); }

  void begins_later(change::Lsn start) const {
    throw base::Error(base::Exit::data, spool.string() + " begins after " + start.text() + ", what came between " +
                                            covered.text() + " and that is gone; " + link_anew);
  }

  // The segment that holds the first transaction above `after`, or the first one.
  void open_first() {
    if (mark.segment == change::Lsn{}) {
      position = mark.end_lsn;
      if (position > covered) begins_later(position);
      return;
    }
    std::vector<Segment> all = list_segments(spool);
    auto found = std::upper_bound(all.begin(), all.end(), after,
                                  [](change::Lsn lsn, const Segment& s) { return lsn < s.first; });
    if (found != all.begin()) --found;
    if (found == all.end() || found->first > mark.segment) missing("no segment is there");
    open(*found);
  }

  void open_next() {
    const change::Lsn last = segment->segment().first;
    std::vector<Segment> all = list_segments(spool);
    const auto found =
        std::upper_bound(all.begin(), all.end(), last, [](change::Lsn lsn, const Segment& s) { return lsn < s.first; });
    if (found == all.end() || found->first > mark.segment) missing("nothing is there after " + position.text());
    continues = true;
    open(*found);
  }

  [[noreturn]] void missing(const std::string& what) const {
    throw base::Error(base::Exit::data, segments_path(spool).string() + ": " + what +
                                            ", though the mark says so; "
                                            "`pgtandem queue check` tells more");
  }

  // At the end of what may be seen: whether there is more by now.
  bool advance() {
    if (segment && !segment->whole()) segment->damaged("the segment ends before its last transaction does");
    if (segment && segment->segment().first < mark.segment) {
      open_next();
      return true;
    }
    const Mark before = mark;
    mark = require_mark(spool);
    if (mark.source != before.source || mark.segment < before.segment)
      throw base::Error(base::Exit::data, spool.string() + " was made anew while it was read; start again");
    if (mark.segment == before.segment && mark.segment_bytes <= before.segment_bytes) return false;
    if (segment)
      see();
    else
      open_first();
    return true;
  }

  void check_header(const change::Event& header) {
    if (header.source != mark.source)
      segment->damaged("it comes from " + header.source.id() + ", the spool from " + mark.source.id());
    if (continues && (header.lsn != position || header.operations != operations))
      segment->damaged("it goes on after " + header.lsn.text() + ", but the segment before it ends at " +
                       position.text() + ": one between them is missing");
    if (!continues && segment->segment().first > after && header.lsn > covered) begins_later(header.lsn);
    position = header.lsn;
    operations = header.operations;
  }

  // Whether the event is for the caller.
  bool accept(const change::Event& event) {
    using change::EventType;
    switch (event.type) {
      case EventType::source:
        check_header(event);
        return false;
      case EventType::begin:
        skipping = event.lsn <= after;
        return !skipping;
      case EventType::commit:
        position = event.end_lsn;
        operations = segment->tail().operations;
        at_commit = !skipping;
        return at_commit;
      case EventType::relation:
        return true;  // also while passing by: it is in force for what follows
      default:
        return !skipping;
    }
  }
};

Reader::Reader(const fs::path& spool, change::Lsn after, change::Lsn covered) : state_(std::make_unique<State>()) {
  state_->spool = spool;
  state_->after = after;
  state_->covered = covered;
  state_->mark = require_mark(spool);
  state_->open_first();
}
Reader::~Reader() = default;

const change::Event* Reader::next(base::Arena& arena) {
  State& s = *state_;
  s.at_commit = false;
  for (;;) {
    if (s.segment) {
      const auto depth = s.skipping ? SegmentReader::Depth::skim : SegmentReader::Depth::parse;
      while (const change::Event* event = s.segment->next(arena, depth))
        if (s.accept(*event)) return event;
    }
    if (!s.advance()) return nullptr;
  }
}

std::string_view Reader::line() const {
  const std::string_view line = state_->segment->line();
  if (!state_->at_commit) return line;
  state_->commit_line = line.substr(0, change::checksum_position(line.substr(0, line.size() - 1)));
  return state_->commit_line += "}\n";
}

const Mark& Reader::mark() const { return state_->mark; }
uint64_t Reader::operations() const { return state_->operations; }
change::Lsn Reader::position() const { return state_->position; }

}  // namespace spool
