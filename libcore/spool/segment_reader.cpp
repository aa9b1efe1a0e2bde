#include "spool/segment_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <new>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/lines.hpp"
#include "change/writer.hpp"

namespace spool {
namespace {

// The line of a change as the house writes it; one written otherwise (by a filter) is parsed instead of skimmed.
bool looks_like_change(std::string_view line) {
  for (const std::string_view head : {R"({"type":"insert",)", R"({"type":"update",)", R"({"type":"delete",)"})
    if (line.substr(0, head.size()) == head) return true;
  return false;
}

}  // namespace

struct SegmentReader::State {
  Segment segment;
  base::Fd fd;
  change::Reader& parser;
  base::LineBuffer lines;
  base::Hasher hasher;
  uint64_t visible = 0;  // bytes of the file that may be read
  uint64_t offset = 0;   // bytes of the file that were taken
  std::string_view line;
  uint64_t at = 0;  // where the line starts, for messages
  bool has_header = false;
  bool in_transaction = false;
  uint64_t operations = 0;
  int64_t time = 0;
  Tail tail;
  Tail cut_point;
  bool ended = false;

  // Compressed segments only.
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> zstd{nullptr, &ZSTD_freeDCtx};
  std::vector<char> packed;
  ZSTD_inBuffer in{nullptr, 0, 0};
  uint64_t frame_start = 0;
  bool in_frame = false;
  bool filled = false;

  State(Segment s, change::Reader& p)
      : segment(std::move(s)),
        fd(base::open_file(segment.path, O_RDONLY | O_NOFOLLOW)),
        parser(p),
        lines([this](char* to, size_t size) { return segment.compressed ? unpack(to, size) : take(to, size); },
              change::max_line + 64, segment.path.string()) {
    if (!segment.compressed) return;
    zstd.reset(ZSTD_createDCtx());
    if (!zstd) throw std::bad_alloc();
    packed.resize(ZSTD_DStreamInSize());
  }

  [[noreturn]] void damaged(const std::string& what) const {
    throw base::Error(base::Exit::data, segment.path.string() + ":" +
                                            std::to_string(segment.compressed ? frame_start : at) + ": " + what +
                                            "; nothing from there on is used, `pgtandem queue check` tells more");
  }

  size_t take(char* to, size_t size) {
    const uint64_t left = visible - offset;
    if (left == 0) return 0;
    for (;;) {
      const ssize_t n = ::pread(fd.get(), to, size < left ? size : left, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) base::throw_errno("cannot read " + segment.path.string());
      offset += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
  }

  // Never gives bytes of two frames at once, so that the end of a frame is met with nothing else in the buffer.
  size_t unpack(char* to, size_t size) {
    for (;;) {
      if (!in_frame && !in_transaction && lines.partial() == 0 && tail.transactions > 0) {
        cut_point = tail;
        cut_point.bytes = frame_start;
      }
      // Bytes may wait inside zstd when the last call filled all the room it was given.
      if (in.pos == in.size && !filled) {
        in = {packed.data(), take(packed.data(), packed.size()), 0};
        if (in.size == 0) return 0;
      }
      ZSTD_outBuffer out{to, size, 0};
      const size_t before = in.pos;
      const size_t hint = ZSTD_decompressStream(zstd.get(), &out, &in);
      if (ZSTD_isError(hint))
        damaged(std::string("the compressed bytes are damaged (") + ZSTD_getErrorName(hint) + ")");
      in_frame = hint != 0;
      filled = in_frame && out.pos == out.size;
      if (!in_frame) frame_start = offset - (in.size - in.pos);
      if (out.pos > 0) return out.pos;
      if (in_frame && in.pos == before && in.pos < in.size) damaged("the compressed bytes lead nowhere");
    }
  }

  const change::Event& parse(base::Arena& arena) {
    try {
      return parser.read({line.data(), line.size() - 1}, lines.line_number(), arena);
    } catch (const base::Error& error) {
      if (error.kind() != base::Exit::data) throw;
      damaged(error.what());
    }
  }

  void follow(const change::Event& event);
  void finish_transaction(const change::Event& commit);
};

// What put promises of a segment: one source line, first; transactions in ascending order, the first one being the
// segment's name; nothing else between them than shapes.
void SegmentReader::State::follow(const change::Event& event) {
  using change::EventType;
  if (!has_header) {
    if (event.type != EventType::source) damaged("a segment begins with its source line");
    has_header = true;
    operations = tail.operations = event.operations;
    tail.end_lsn = event.lsn;
  } else if (event.type == EventType::source || event.type == EventType::keepalive) {
    damaged("a line that no segment has there");
  }
  if (event.type == EventType::begin) {
    if (tail.transactions == 0 && event.lsn != segment.first) damaged("the first transaction is not the file's name");
    if (event.lsn <= tail.commit_lsn) damaged("a transaction that is not after the one before it");
    if (tail.transactions == 0) hasher.reset(hasher.value());
    in_transaction = true;
    time = event.time;
  } else if (event.type != EventType::source && event.type != EventType::relation && event.type != EventType::commit) {
    ++operations;
  }
}

void SegmentReader::State::finish_transaction(const change::Event& commit) {
  const size_t covered = change::checksum_position(line.substr(0, line.size() - 1));
  if (covered == std::string_view::npos) damaged("a commit without a checksum");
  hasher.add(line.substr(0, covered));
  const uint64_t chain = hasher.value();
  if (line.substr(covered) != ",\"xxh3\":\"" + base::hex16(chain) + "\"}\n")
    damaged("the checksum of the transaction " + commit.lsn.text() + " does not fit its bytes");
  hasher.reset(chain);
  in_transaction = false;
  tail = {commit.lsn, commit.end_lsn, operations, tail.transactions + 1, time, chain, offset - lines.partial()};
  if (!segment.compressed) cut_point = tail;
}

SegmentReader::SegmentReader(Segment segment, change::Reader& parser)
    : state_(std::make_unique<State>(std::move(segment), parser)) {}
SegmentReader::~SegmentReader() = default;

void SegmentReader::extend(uint64_t bytes) {
  if (bytes > state_->visible) state_->visible = bytes;
}

const change::Event* SegmentReader::next(base::Arena& arena, Depth depth) {
  State& s = *state_;
  for (;;) {
    std::string_view text;
    s.ended = !s.lines.next(text);
    if (s.ended) return nullptr;
    s.line = {text.data(), text.size() + 1};
    s.at = s.offset - s.lines.partial() - s.line.size();
    if (depth == Depth::skim && s.in_transaction && looks_like_change(text)) {
      s.hasher.add(s.line);
      ++s.operations;
      continue;
    }
    const change::Event& event = s.parse(arena);
    s.follow(event);
    if (event.type == change::EventType::commit)
      s.finish_transaction(event);
    else
      s.hasher.add(s.line);
    if (depth == Depth::parse || !s.in_transaction || event.type == change::EventType::begin ||
        event.type == change::EventType::relation)
      return &event;
  }
}

std::string_view SegmentReader::line() const { return state_->line; }
const Segment& SegmentReader::segment() const { return state_->segment; }
const Tail& SegmentReader::tail() const { return state_->tail; }
const Tail& SegmentReader::cut_point() const { return state_->cut_point; }
bool SegmentReader::whole() const { return state_->ended && state_->cut_point.bytes == state_->visible; }
void SegmentReader::damaged(const std::string& what) const { state_->damaged(what); }

uint64_t SegmentReader::file_bytes() const {
  struct stat file {};
  if (::fstat(state_->fd.get(), &file) != 0) base::throw_errno("cannot look at " + state_->segment.path.string());
  return static_cast<uint64_t>(file.st_size);
}

}  // namespace spool
