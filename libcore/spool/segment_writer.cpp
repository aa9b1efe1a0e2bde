#include "spool/segment_writer.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "base/error.hpp"
#include "base/files.hpp"
#include "change/writer.hpp"

namespace spool {
namespace {

// Level 1 packs such lines to about a fifth at 500 MB/s a core; 3 gains a tenth more for half the speed.
constexpr int compression_level = 1;

bool disk_full() { return errno == ENOSPC || errno == EDQUOT; }

}  // namespace

struct SegmentWriter::Zstd {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  Zstd() {
    if (context == nullptr) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, compression_level);
  }
  ~Zstd() { ZSTD_freeCCtx(context); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;
};

SegmentWriter::SegmentWriter(const std::filesystem::path& spool, const Mark& end, bool compress, uint64_t roll_bytes,
                             Room& room)
    : spool_(spool), compress_(compress), roll_bytes_(roll_bytes), room_(room), accepted_(end), written_(end) {
  staged_.reserve(piece_bytes + piece_bytes / 8);
  if (compress) zstd_ = std::make_unique<Zstd>();
  if (end.segment == change::Lsn{} || end.segment_bytes >= roll_bytes) return;
  const Segment newest = segment_at(spool, end.segment, compress);
  const int fd = ::open(newest.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return;  // it is of the other kind: a new one for this kind
  if (fd < 0) base::throw_errno("cannot open " + newest.path.string());
  file_ = std::make_shared<base::Fd>(fd);
  segment_ = end.segment;
  file_bytes_ = end.segment_bytes;
  has_transaction_ = true;
}
SegmentWriter::~SegmentWriter() = default;

bool SegmentWriter::roll_due() const {
  return segment_ == change::Lsn{} || file_bytes_ + staged_.size() >= roll_bytes_;
}

void SegmentWriter::start_segment(change::Lsn first, const change::Reader& shapes) {
  if (!staged_.empty()) throw base::Error(base::Exit::bug, "a new segment before the last one was flushed");
  segment_ = first;
  file_.reset();
  file_bytes_ = 0;
  has_transaction_ = false;
  change::append_source(staged_, accepted_.source, accepted_.end_lsn, &accepted_.operations);
  in_force_.clear();
  write_shapes(shapes);
  hasher_.reset(base::hash_bytes(staged_));
  hashed_ = staged_.size();
}

// The shapes in force that this segment does not have, or has otherwise.
void SegmentWriter::write_shapes(const change::Reader& shapes) {
  shapes_changed_ = false;
  for (const change::Relation* relation : shapes.relations()) {
    const change::Relation*& written = in_force_[relation->text];
    if (written == relation) continue;
    written = relation;
    change::append_relation(staged_, *relation);
  }
}

void SegmentWriter::begin(const change::Event& begin, std::string_view line, const change::Reader& shapes) {
  if (roll_due()) {
    start_segment(begin.lsn, shapes);
  } else {
    hasher_.reset(accepted_.segment_chain);
    hashed_ = staged_.size();
  }
  in_transaction_ = true;
  operations_ = 0;
  time_ = begin.time;
  append(line);
  if (shapes_changed_) write_shapes(shapes);
}

void SegmentWriter::relation(const change::Relation& relation, std::string_view line) {
  const change::Relation*& written = in_force_[relation.text];
  if (written == &relation) return;
  written = &relation;
  append(line);
}

void SegmentWriter::change(std::string_view line) {
  append(line);
  ++operations_;
}

// The checksum goes before the closing brace; one that is there already, of the segment that the line came from, makes
// room for ours.
void SegmentWriter::commit(const change::Event& commit, std::string_view line) {
  while (line.back() != '}') line.remove_suffix(1);
  const size_t old = change::checksum_position(line);
  if (commit.has_checksum && old == std::string_view::npos)
    throw base::Error(base::Exit::data, "the commit " + commit.lsn.text() + " has an xxh3 that is not its last member");
  staged_.append(line.substr(0, commit.has_checksum ? old : line.size() - 1));
  hash_staged(staged_.size());
  accepted_.segment_chain = hasher_.value();
  staged_ += "}\n";
  change::append_checksum(staged_, accepted_.segment_chain);
  hashed_ = staged_whole_ = staged_.size();
  in_transaction_ = open_written_ = false;
  has_transaction_ = true;
  accepted_.segment = segment_;
  accepted_.commit_lsn = commit.lsn;
  accepted_.end_lsn = commit.end_lsn;
  accepted_.lsn = std::max(accepted_.lsn, commit.end_lsn);
  accepted_.operations += operations_;
  accepted_.transactions += 1;
  accepted_.time = time_;
}

void SegmentWriter::hash_staged(size_t upto) {
  hasher_.add(std::string_view(staged_).substr(hashed_, upto - hashed_));
  hashed_ = upto;
}

void SegmentWriter::cut() {
  if (!in_transaction_) return;
  in_transaction_ = false;
  in_force_.clear();
  shapes_changed_ = true;
  if (out_staged_ > staged_whole_) {
    out_ = {};
    out_staged_ = 0;
    open_written_ = true;  // as far as the flush came
  }
  staged_.resize(staged_whole_);
  hashed_ = staged_whole_;
  if (!has_transaction_) {  // a segment is called by a transaction that it has
    if (file_ && ::unlink(segment_at(spool_, segment_, compress_).path.c_str()) != 0)
      base::throw_errno("cannot remove " + segment_at(spool_, segment_, compress_).path.string());
    room_.cut(file_bytes_);
    file_.reset();
    segment_ = change::Lsn{};
    staged_.clear();
    hashed_ = staged_whole_ = 0;
  } else if (open_written_ && file_) {
    if (::ftruncate(file_->get(), static_cast<off_t>(open_start_)) != 0)
      base::throw_errno("cannot cut " + segment_at(spool_, segment_, compress_).path.string());
    room_.cut(file_bytes_ - open_start_);
    file_bytes_ = open_start_;
  }
  open_written_ = false;
}

void SegmentWriter::drop_staged() {
  cut();
  staged_.clear();
  staged_whole_ = hashed_ = out_staged_ = 0;
  out_ = {};
  accepted_ = written_;
  if (!file_) return;
  const std::filesystem::path path = segment_at(spool_, segment_, compress_).path;
  const bool begun = written_.segment == segment_;
  if (begun ? ::ftruncate(file_->get(), static_cast<off_t>(written_.segment_bytes)) != 0 : ::unlink(path.c_str()) != 0)
    base::throw_errno("cannot cut " + path.string());
}

// The first `bytes` staged, as they go to the file.
std::string_view SegmentWriter::pack(size_t bytes) {
  if (!compress_) return std::string_view(staged_).substr(0, bytes);
  packed_.resize(ZSTD_compressBound(bytes));
  const size_t size = ZSTD_compress2(zstd_->context, packed_.data(), packed_.size(), staged_.data(), bytes);
  if (ZSTD_isError(size)) throw base::Error(base::Exit::bug, std::string("zstd: ") + ZSTD_getErrorName(size));
  return std::string_view(packed_).substr(0, size);
}

// False where the disk has no room for another name.
bool SegmentWriter::create_file() {
  const Segment segment = segment_at(spool_, segment_, compress_);
  const int fd = ::open(segment.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, private_file);
  if (fd < 0 && disk_full()) return false;
  if (fd < 0) base::throw_errno("cannot create " + segment.path.string());
  base::give_to_owner(fd, segment.path);
  file_ = std::make_shared<base::Fd>(fd);
  unsynced_.directory = true;
  return true;
}

SegmentWriter::Flush SegmentWriter::flush() {
  if (out_.empty()) {
    out_staged_ = staged_whole_ > 0 ? staged_whole_ : staged_.size();
    if (out_staged_ == 0) return Flush::done;
    hash_staged(std::max(hashed_, out_staged_));
    out_ = pack(out_staged_);
    if (in_transaction_ && !open_written_) open_start_ = file_bytes_;
  }
  if (!room_.for_bytes(out_.size(), written_, segment_)) return Flush::no_room;
  if (!file_ && !create_file()) return Flush::disk_full;
  if (unsynced_.files.empty() || unsynced_.files.back() != file_) unsynced_.files.push_back(file_);
  while (!out_.empty()) {
    const ssize_t n = ::pwrite(file_->get(), out_.data(), out_.size(), static_cast<off_t>(file_bytes_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && disk_full()) return Flush::disk_full;
    if (n < 0) base::throw_errno("cannot write " + segment_at(spool_, segment_, compress_).path.string());
    out_.remove_prefix(static_cast<size_t>(n));
    file_bytes_ += static_cast<uint64_t>(n);
    unsynced_bytes_ += static_cast<uint64_t>(n);
    room_.wrote(static_cast<uint64_t>(n));
  }
  if (staged_whole_ > 0) {
    accepted_.segment_bytes = file_bytes_;
    written_ = accepted_;
    staged_whole_ = 0;
  } else {
    open_written_ = true;
  }
  staged_.erase(0, out_staged_);
  hashed_ -= out_staged_;
  out_staged_ = 0;
  return Flush::done;
}

SegmentWriter::Unsynced SegmentWriter::take_unsynced() {
  Unsynced taken = std::move(unsynced_);
  unsynced_ = {};
  unsynced_bytes_ = 0;
  return taken;
}

}  // namespace spool
