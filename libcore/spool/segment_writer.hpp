// Transactions to the end of the spool's newest segment, with checksums, in plain or compressed bytes; a new segment
// when that one is large enough. Owns the segment's descriptor and the bytes that are not in it yet. It writes and
// never syncs, never publishes, never waits: put decides when, and the syncer does it. Memory is bounded whatever the
// size of a transaction, as long as put flushes when it should.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "change/reader.hpp"
#include "spool/layout.hpp"
#include "spool/mark.hpp"
#include "spool/room.hpp"

namespace spool {

class SegmentWriter {
 public:
  // Goes on after `end`. A segment that has `roll_bytes` or more gets no further transaction.
  SegmentWriter(const std::filesystem::path& spool, const Mark& end, bool compress, uint64_t roll_bytes, Room& room);
  ~SegmentWriter();

  // Whether the next begin() will start a new segment; flush() all before it then.
  bool roll_due() const;
  // Lines as they came, each followed by its newline in memory. `shapes` are those in force.
  void begin(const change::Event& begin, std::string_view line, const change::Reader& shapes);
  void relation(const change::Relation& relation, std::string_view line);
  void change(std::string_view line);
  void commit(const change::Event& commit, std::string_view line);
  // A shape came outside of what is written; it will be repeated where it is needed.
  void shapes_changed() { shapes_changed_ = true; }
  // Forgets the transaction that is open, if one is, and takes back what of it is in the file.
  void cut();
  // Also forgets whole transactions that are not in the file yet: they will come again. Nothing may follow.
  void drop_staged();

  bool in_transaction() const { return in_transaction_; }
  // Time to flush: a larger piece would gain nothing and cost memory.
  bool piece_ready() const { return staged_.size() >= piece_bytes; }
  // Moves the whole transactions gathered so far to the file, or a piece of the open one when there are none. Without
  // room it is to be called again later; nothing is lost.
  enum class Flush { done, no_room, disk_full };
  Flush flush();
  // Whether whole transactions wait for a flush.
  bool staged_whole() const { return staged_whole_ > 0; }

  const Mark& accepted() const { return accepted_; }  // after the last whole transaction
  const Mark& written() const { return written_; }    // the same, as far as it is in files

  // What was written since the last call, for the syncer.
  struct Unsynced {
    std::vector<std::shared_ptr<base::Fd>> files;
    bool directory = false;
  };
  Unsynced take_unsynced();
  uint64_t unsynced_bytes() const { return unsynced_bytes_; }

 private:
  // One write(2), and one frame where compressed: much larger than a system call or a frame's head is dear, small
  // beside the memory a tool may take, and a reader has to hold nothing of that size.
  static constexpr size_t piece_bytes = 1 << 20;

  void start_segment(change::Lsn first, const change::Reader& shapes);
  void write_shapes(const change::Reader& shapes);
  void append(std::string_view line) { staged_.append(line.data(), line.size() + 1); }
  void hash_staged(size_t upto);
  std::string_view pack(size_t bytes);
  bool create_file();

  const std::filesystem::path spool_;
  const bool compress_;
  const uint64_t roll_bytes_;
  Room& room_;
  Mark accepted_;
  Mark written_;

  change::Lsn segment_;             // of the file that is written; 0/0: the next begin() starts one
  std::shared_ptr<base::Fd> file_;  // none before its first byte is written
  uint64_t file_bytes_ = 0;         // written of it
  bool has_transaction_ = false;    // a whole one, in the file or staged
  std::string staged_;              // not written yet
  size_t staged_whole_ = 0;         // bytes of it that are whole transactions
  size_t hashed_ = 0;               // bytes of it that are in hasher_
  base::Hasher hasher_;
  std::string packed_;
  std::string_view out_;   // of a flush under way, what is not written yet
  size_t out_staged_ = 0;  // bytes of staged_ that it stands for

  bool in_transaction_ = false;
  bool open_written_ = false;  // a piece of the open transaction is in the file
  uint64_t open_start_ = 0;    // where in the file
  uint64_t operations_ = 0;    // of the open transaction
  int64_t time_ = 0;
  bool shapes_changed_ = true;
  std::map<std::string, const change::Relation*> in_force_;  // in this segment, as written

  Unsynced unsynced_;
  uint64_t unsynced_bytes_ = 0;
  struct Zstd;
  std::unique_ptr<Zstd> zstd_;
};

}  // namespace spool
