#include "spool/recover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "change/reader.hpp"
#include "spool/segment_reader.hpp"

namespace spool {
namespace fs = std::filesystem;
namespace {

// The mark after `tail` of `segment`, which `mark` was before.
Mark moved_to(Mark mark, const Segment& segment, const Tail& tail, uint64_t new_transactions) {
  mark.commit_lsn = tail.commit_lsn;
  mark.end_lsn = tail.end_lsn;
  mark.lsn = std::max(mark.lsn, tail.end_lsn);
  mark.operations = tail.operations;
  mark.transactions += new_transactions;
  mark.time = tail.time;
  mark.segment = segment.first;
  mark.segment_bytes = tail.bytes;
  mark.segment_chain = tail.chain;
  return mark;
}

// Walks one segment to its end and moves `end` on by what is whole. Returns false where nothing after it can be whole.
class Walk {
 public:
  Walk(End& end, const Segment& segment, bool has_mark)
      : end_(end), start_(end.mark), segment_(segment), reader_(segment, parser_), has_mark_(has_mark) {}

  bool run() {
    const bool clean = read();
    if (foreign_) reader_.damaged("it comes from another source than the spool, " + start_.source.id());
    if (marked() && !verified_) {
      if (torn_.empty()) reader_.damaged("the segment is shorter than the mark says, or another one");
      throw base::Error(base::Exit::data, torn_);
    }
    const Tail& last = reader_.cut_point();
    if (last.bytes > seen_ && !strayed_) {
      end_.mark = moved_to(end_.mark, segment_, last, last.transactions - seen_transactions_);
      end_.kept.push_back(segment_);
    }
    if (last.bytes == 0 || strayed_) {
      end_.leftover.push_back(segment_);
      return false;
    }
    end_.newest = segment_;
    end_.cut_bytes = segment_.bytes - last.bytes;
    return clean;
  }

 private:
  bool marked() const { return has_mark_ && segment_.first == start_.segment; }

  // True when all of the file was read and is whole.
  bool read() {
    reader_.extend(segment_.bytes);
    try {
      while (const change::Event* event = reader_.next(arena_, SegmentReader::Depth::skim)) {
        if (event->type == change::EventType::source && !follows(*event)) return false;
        arena_.reset();
        look();
      }
      look();
      return reader_.whole();
    } catch (const base::Error& error) {
      if (error.kind() != base::Exit::data) throw;
      torn_ = error.what();
      return false;
    }
  }

  // Another source's segment is no leftover of ours; one that goes on elsewhere is: what came before it was not synced.
  bool follows(const change::Event& header) {
    foreign_ = header.source != start_.source;
    strayed_ = has_mark_ && !marked() && (header.lsn != start_.end_lsn || header.operations != start_.operations);
    return !foreign_ && !strayed_;
  }

  // The place that the mark on disk names must be met exactly: everything up to it was durable once.
  void look() {
    const Tail& tail = reader_.cut_point();
    if (!marked() || verified_ || tail.bytes != start_.segment_bytes) return;
    verified_ = tail.chain == start_.segment_chain && tail.operations == start_.operations;
    seen_ = tail.bytes;
    seen_transactions_ = tail.transactions;
  }

  End& end_;
  const Mark start_;
  const Segment& segment_;
  change::Reader parser_{"line"};
  SegmentReader reader_;
  base::Arena arena_;
  bool has_mark_;
  bool foreign_ = false;
  bool strayed_ = false;
  bool verified_ = false;
  std::string torn_;
  uint64_t seen_ = 0;  // bytes that the mark had already
  uint64_t seen_transactions_ = 0;
};

// A mark made from a segment's header, where the real one is damaged.
std::optional<Mark> mark_from_header(const Segment& segment) {
  change::Reader parser("line");
  SegmentReader reader(segment, parser);
  reader.extend(segment.bytes);
  base::Arena arena;
  try {
    const change::Event* header = reader.next(arena, SegmentReader::Depth::skim);
    if (header == nullptr) return std::nullopt;
    Mark mark;
    mark.source = header->source;
    mark.lsn = mark.end_lsn = header->lsn;
    mark.operations = header->operations;
    return mark;
  } catch (const base::Error& error) {
    if (error.kind() != base::Exit::data) throw;
    return std::nullopt;
  }
}

End scan_without_mark(const std::vector<Segment>& all, const base::Error& why) {
  std::vector<Segment> leftover;
  for (auto segment = all.rbegin(); segment != all.rend(); ++segment) {
    const std::optional<Mark> mark = mark_from_header(*segment);
    if (mark) {
      End end{.before = {}, .mark = *mark, .newest = {}, .kept = {}, .leftover = {}};
      Walk(end, *segment, false).run();
      if (!end.kept.empty()) {
        end.leftover = leftover;
        return end;
      }
    }
    leftover.push_back(*segment);
  }
  throw why;
}

// A sync that failed leaves pages that the kernel calls clean and that never reached the disk; they read well until
// they leave the cache. Writing them again makes the next sync a true one.
void write_again(int fd, uint64_t from, uint64_t to, const std::string& name) {
  std::string bytes(256 << 10, '\0');
  while (from < to) {
    const ssize_t n = ::pread(fd, bytes.data(), std::min<uint64_t>(bytes.size(), to - from), static_cast<off_t>(from));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) base::throw_errno("cannot read " + name);
    if (n == 0) return;
    base::pwrite_all(fd, std::string_view(bytes).substr(0, static_cast<size_t>(n)), static_cast<long>(from), name);
    from += static_cast<uint64_t>(n);
  }
}

End scan_once(const fs::path& spool) {
  std::optional<Mark> mark;
  try {
    mark = require_mark(spool);
  } catch (const base::Error& error) {
    const std::vector<Segment> all = list_segments(spool);
    if (error.kind() != base::Exit::data || all.empty() || ::access(mark_path(spool).c_str(), F_OK) != 0) throw;
    return scan_without_mark(all, error);
  }
  const std::vector<Segment> all = list_segments(spool);
  End end{.before = mark, .mark = *mark, .newest = {}, .kept = {}, .leftover = {}};
  auto segment = all.begin();
  while (segment != all.end() && segment->first < mark->segment) ++segment;
  if (mark->segment != change::Lsn{} && (segment == all.end() || segment->first != mark->segment))
    throw base::Error(base::Exit::data, segments_path(spool).string() + ": the newest segment, of " +
                                            mark->segment.text() + ", is missing; `pgtandem queue check` tells more");
  bool goes_on = true;
  for (; segment != all.end() && goes_on; ++segment) goes_on = Walk(end, *segment, true).run();
  for (; segment != all.end(); ++segment) end.leftover.push_back(*segment);
  return end;
}

}  // namespace

// A writer may roll, cut and prune under our eyes; what then seems wrong is looked at again with the new mark.
End scan_end(const fs::path& spool) {
  for (int attempt = 0;; ++attempt) {
    const std::string before = base::read_file(mark_path(spool)).value_or("");
    try {
      return scan_once(spool);
    } catch (const base::Error&) {
      if (attempt == 5 || base::read_file(mark_path(spool)).value_or("") == before) throw;
    }
  }
}

Mark repair_end(const fs::path& spool) {
  const End end = scan_end(spool);
  const bool moved = !end.kept.empty();
  if (end.cut_bytes > 0 && ::truncate(end.newest->path.c_str(), static_cast<off_t>(end.mark.segment_bytes)) != 0)
    base::throw_errno("cannot cut " + end.newest->path.string());
  for (const Segment& segment : end.leftover)
    if (::unlink(segment.path.c_str()) != 0) base::throw_errno("cannot remove " + segment.path.string());
  for (const Segment& segment : end.kept) {
    const base::Fd fd = base::open_file(segment.path, O_RDWR | O_NOFOLLOW);
    const uint64_t from = end.before && end.before->segment == segment.first ? end.before->segment_bytes : 0;
    const uint64_t to = segment.first == end.mark.segment ? end.mark.segment_bytes : segment.bytes;
    write_again(fd.get(), from, to, segment.path.string());
    base::sync_data(fd.get(), segment.path.string());
  }
  if (moved || !end.leftover.empty()) base::sync_directory(segments_path(spool));
  if (moved) {
    MarkFile file(spool);
    for (int copy = 0; copy < 2; ++copy) file.publish(end.mark, base::Durable::yes);  // both, where both were damaged
  }
  if (!end.before)
    base::log(base::Level::warn, mark_path(spool).string() +
                                     " was damaged and is made again from the segments, up to " +
                                     end.mark.end_lsn.text() + "; run `pgtandem queue check`");
  if (moved || end.cut_bytes > 0 || !end.leftover.empty())
    base::log(base::Level::info, "the spool ends at " + end.mark.end_lsn.text() + " after a crash; cut off: " +
                                     std::to_string(end.cut_bytes) + " bytes of an unfinished transaction, " +
                                     std::to_string(end.leftover.size()) + " unfinished segments");
  return end.mark;
}

}  // namespace spool
