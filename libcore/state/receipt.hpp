// What was proven of each standby's tables, and when: STATE/verify.json, for people, for the full pass and for status.
// Owns the file's form. A table that a run does not reach keeps its entry, with the position and the time that belong
// to it; a run that was interrupted stays "unfinished". verify writes it, under its lock; anybody reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace state {

struct SideProof {
  uint64_t rows = 0;
  std::string digest;  // of all rows: 32 hex digits; empty where they were not read
};

// A range of a table's integer key, or all of the table, and when all its rows were last equal.
struct PieceProof {
  std::optional<int64_t> from;  // its least key; nothing: whatever lies below the next piece. It ends where that begins
  std::string lsn;              // of the cut
  std::string time;
  uint64_t rows = 0;      // on the primary then
  uint64_t left_out = 0;  // differences in it that filters.program kept then
};

// What lets the next pass read less than all of a table that was proven equal: keys that the stream touched since
// `lsn`, and some of the pieces.
struct ScrubProof {
  std::string lsn;     // of the cut up to which every touched row is proven
  std::string time;    // of it
  std::string source;  // the stream's, change::Source::id()
  std::string shape;   // what was compared of which table; of another one nothing is known
  std::string whole_lsn;
  std::string whole_time;  // when the table was last read whole, at one cut
  uint64_t touched = 0;    // by the last run: keys looked up
  uint64_t read = 0;       // rows of the primary read, these and those of pieces
  std::vector<PieceProof> pieces;
  uint64_t left_out() const;         // of all pieces
  const PieceProof& oldest() const;  // every row was equal at its time or later. There is at least one piece
};

// Of one table, by the last exact comparison of it.
struct TableProof {
  bool equal = false;
  std::string why;     // it is not equal; empty where it is
  std::string lsn;     // of the cut; empty: none was needed, the table is paused
  std::string time;    // of the cut, RFC 3339
  std::string digest;  // which: "native-2". Digests of other versions do not compare
  std::vector<std::string> columns;
  SideProof primary;
  SideProof standby;
  uint64_t left_out = 0;  // differences that filters.program keeps: they do not count
  std::string equal_lsn;  // when it last was equal; empty: never
  std::string equal_time;
  std::optional<ScrubProof> scrub;  // of one that is equal
};

// The last run: what it was asked for, and how it ended.
struct VerifyRun {
  std::string started;
  std::string ended;  // empty while it runs, or where it was interrupted
  std::string lsn;    // of the cut; empty: none was made
  bool exact = false;
  std::string result = "unfinished";  // or equal, different, incomplete, unproven, failed
  std::string why;                    // incomplete (tables that cannot be compared), unproven or failed
  std::vector<std::string> tables;
};

struct NodeReceipt {
  std::string primary_system;  // system identifiers, decimal
  std::string standby_system;
  VerifyRun run;
  std::map<std::string, TableProof> tables;  // by base::TableName::text()
};

using Receipt = std::map<std::string, NodeReceipt>;  // by the standby's name

std::filesystem::path receipt_path(const std::filesystem::path& state);
// Empty where there is none. Throws Error(data) for one that is damaged, or of another version than ours.
Receipt read_receipt(const std::filesystem::path& state);
// As one step, and durable when it returns.
void write_receipt(const std::filesystem::path& state, const Receipt& receipt);

// Pure. The text of the file, and back; `name` is for the error.
std::string receipt_text(const Receipt& receipt);
Receipt parse_receipt(const std::string& text, const std::string& name);

// A table's new proof takes the place of the one before; when it last was equal is kept. Pure.
void add_proof(NodeReceipt& receipt, const std::string& table, TableProof proof);
// The receipt goes on for these two servers and these tables: proofs of other servers, and of tables that are not
// synced any more, go. Pure.
void go_on_for(NodeReceipt& receipt, const std::string& primary_system, const std::string& standby_system,
               const std::vector<std::string>& synced);

}  // namespace state
