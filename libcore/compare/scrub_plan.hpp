// Which part of the tables a pass reads, where it need not read all: into which ranges of its key a table is divided,
// and which of these it is the turn of. Owns the rule by which every row is proven at least once in max_age; reads
// nothing. Pure. For the scrub.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "state/receipt.hpp"

namespace compare {

// A piece of fewer rows is not worth a statement, so a table of fewer is read whole each time.
constexpr uint64_t least_piece_rows = 1000;
// How many pieces a table has at first: each costs the servers a statement, and the receipt 100 bytes.
constexpr size_t usual_pieces = 100;
constexpr size_t most_pieces = 1000;

// How many for a table of that many rows; `share` is the budget, so that one piece is within it. 0: by seconds.
size_t pieces_for(uint64_t rows, double share);

// Where all pieces but the first begin, ascending, so that all hold about as many rows. `bounds`: keys between which
// lie equally many rows, as a histogram has them, ascending; at least two.
std::vector<int64_t> borders(std::span<const int64_t> bounds, size_t pieces);

// A piece as several that were proven when it was. `borders`: as above, within it.
void split(std::vector<state::PieceProof>& pieces, size_t piece, const std::vector<int64_t>& borders);
// Into how many a piece should be split; 1: it is not too large beside the others.
size_t parts_of(const std::vector<state::PieceProof>& pieces, size_t piece);

struct ScrubLimits {
  double share = 0;    // of a table's rows a pass; 0: by seconds
  double seconds = 0;  // a pass, of all tables together
  double max_age = 0;  // s
  double period = 0;   // s from one pass to the next
};

struct Turn {
  size_t table = 0;
  size_t piece = 0;
  int64_t proven_us = 0;  // microseconds since 1970
  uint64_t rows = 0;
  bool costly = false;  // the piece is all of a table that is not small: only when it has to be
};

// Oldest first; decides while the pass goes on, for how long pieces take is seen only then.
class Turns {
 public:
  Turns(const ScrubLimits& limits, int64_t now_us, std::vector<Turn> turns);
  // The next one to be proven; nothing where that is all. `elapsed`: seconds that the pass has been reading pieces.
  std::optional<Turn> next(double elapsed);

 private:
  struct Table {
    uint64_t rows = 0;
    uint64_t done = 0;
    double due = 0;  // rows that have to be proven in this pass
  };
  bool is_next(const Turn& turn, double elapsed) const;

  const ScrubLimits limits_;
  const int64_t now_us_;
  std::vector<Turn> turns_;
  size_t at_ = 0;
  std::map<size_t, Table> tables_;
};

}  // namespace compare
