#include "compare/scrub_plan.hpp"

#include <algorithm>
#include <cmath>

namespace compare {
namespace {

constexpr size_t most_parts = 16;  // of one piece at a time; how keys lie in it is not known

}  // namespace

size_t pieces_for(uint64_t rows, double share) {
  const double wanted = share > 0 ? std::max<double>(usual_pieces, std::ceil(1 / share)) : usual_pieces;
  const auto worth = static_cast<size_t>(rows / least_piece_rows);
  return std::clamp<size_t>(static_cast<size_t>(std::min<double>(wanted, most_pieces)), 1, std::max<size_t>(worth, 1));
}

std::vector<int64_t> borders(std::span<const int64_t> bounds, size_t pieces) {
  std::vector<int64_t> out;
  const size_t last = bounds.size() - 1;
  for (size_t i = 1; i < pieces; ++i) {
    const double place = static_cast<double>(i) * static_cast<double>(last) / static_cast<double>(pieces);
    const auto below = std::min(static_cast<size_t>(place), last - 1);
    // Without a sign: the keys of a table may lie further apart than an int64_t reaches.
    const uint64_t width = static_cast<uint64_t>(bounds[below + 1]) - static_cast<uint64_t>(bounds[below]);
    const double part = static_cast<double>(width) * (place - static_cast<double>(below));
    const uint64_t step = part >= static_cast<double>(width) ? width : static_cast<uint64_t>(part);
    const auto border = static_cast<int64_t>(static_cast<uint64_t>(bounds[below]) + step);
    if (border > (out.empty() ? bounds.front() : out.back())) out.push_back(border);
  }
  return out;
}

void split(std::vector<state::PieceProof>& pieces, size_t piece, const std::vector<int64_t>& borders) {
  const state::PieceProof all = pieces[piece];
  const uint64_t parts = borders.size() + 1;
  pieces[piece].rows = all.rows / parts + all.rows % parts;
  pieces[piece].left_out = all.left_out / parts + all.left_out % parts;
  for (size_t i = 0; i < borders.size(); ++i) {
    state::PieceProof part = all;
    part.from = borders[i];
    part.rows = all.rows / parts;
    part.left_out = all.left_out / parts;
    pieces.insert(pieces.begin() + static_cast<std::ptrdiff_t>(piece + 1 + i), std::move(part));
  }
}

size_t parts_of(const std::vector<state::PieceProof>& pieces, size_t piece) {
  uint64_t rows = 0;
  for (const state::PieceProof& other : pieces) rows += other.rows;
  const uint64_t usual = std::max(rows / usual_pieces, least_piece_rows);
  if (pieces[piece].rows <= 2 * usual || pieces.size() >= most_pieces) return 1;
  return std::min({static_cast<size_t>(pieces[piece].rows / usual), most_parts, most_pieces - pieces.size() + 1});
}

Turns::Turns(const ScrubLimits& limits, int64_t now_us, std::vector<Turn> turns)
    : limits_(limits), now_us_(now_us), turns_(std::move(turns)) {
  std::ranges::stable_sort(turns_, {}, &Turn::proven_us);
  for (const Turn& turn : turns_) tables_[turn.table].rows += std::max<uint64_t>(turn.rows, 1);
  std::map<size_t, double> older;
  for (const Turn& turn : turns_) {
    Table& table = tables_[turn.table];
    const auto rows = static_cast<double>(table.rows);
    const double aged = (static_cast<double>(now_us_ - turn.proven_us) / 1e6 + limits_.period) / limits_.max_age;
    const double all = older[turn.table] += static_cast<double>(std::max<uint64_t>(turn.rows, 1));
    // By the next pass a table that was read whole at one moment shall have so much of it read again, as that moment
    // has come near to max_age; so the load is even, and nothing gets older than that.
    if (!turn.costly) table.due = std::max(table.due, all - std::max(0.0, 1 - aged) * rows);
    if (turn.costly && aged >= 1) table.due = rows;
  }
}

bool Turns::is_next(const Turn& turn, double elapsed) const {
  const Table& table = tables_.at(turn.table);
  const auto done = static_cast<double>(table.done);
  if (done < table.due) return true;
  if (turn.costly) return false;
  return limits_.share > 0 ? done < limits_.share * static_cast<double>(table.rows) : elapsed < limits_.seconds;
}

std::optional<Turn> Turns::next(double elapsed) {
  while (at_ < turns_.size()) {
    const Turn& turn = turns_[at_++];
    if (!is_next(turn, elapsed)) continue;
    tables_.at(turn.table).done += std::max<uint64_t>(turn.rows, 1);
    return turn;
  }
  return std::nullopt;
}

}  // namespace compare
