#include "compare/scrub.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "compare/key_sums.hpp"
#include "spool/mark.hpp"
#include "spool/proof.hpp"
#include "state/marks.hpp"

namespace compare {
namespace {

change::Lsn parse_lsn(const std::string& text) {
  change::Lsn lsn;
  change::Lsn::parse(text, lsn);
  return lsn;
}

// What was compared of which table. One that was made or written anew outside the stream is another, and so is one with
// another key, other columns or another filter.
std::string shape_of(const Pairing& pairing) {
  const TablePair& pair = pairing.pair;
  std::string text = pairing.primary.identity + '\n' + pairing.standby.identity + '\n' + pair.primary_where + '\n';
  for (size_t i = 0; i < pair.columns.size(); ++i)
    text += pair.columns[i].sql + ' ' + pair.columns[i].type + ' ' + pair.relation.columns[i].type + '\n';
  for (const uint16_t column : pair.relation.key) text += std::to_string(column) + ' ';
  return base::hex16(base::hash_bytes(text));
}

std::string source_of(const config::Settings& settings) {
  return spool::require_mark(settings.spool.directory).source.id();
}

int64_t number(std::string_view text) { return std::stoll(std::string(text)); }

// The least and the greatest key of a range on the primary; empty where it has none.
std::vector<int64_t> ends(pg::Session& session, const Pairing& pairing, const std::string& range) {
  const std::string key = key_column(pairing.pair);
  const pg::Result row =
      session.query("SELECT min(" + key + "), max(" + key + ") FROM " + pairing.pair.primary_from + where_sql({range}));
  if (row.is_null(0, 0)) return {};
  return {number(row.get(0, 0)), number(row.get(0, 1))};
}

// Keys between which lie equally many rows: as the server's statistics have them, else the two ends.
std::vector<int64_t> bounds_of(pg::Session& session, const Pairing& pairing) {
  const change::Relation& relation = pairing.pair.relation;
  const pg::Result rows = session.query(
      "SELECT b FROM pg_catalog.pg_stats, unnest(histogram_bounds::text::bigint[]) AS b WHERE schemaname = $1 AND "
      "tablename = $2 AND attname = $3 AND inherited = $4::boolean ORDER BY b",
      {relation.table.schema, relation.table.name, relation.columns[relation.key[0]].name,
       pairing.primary.kind == 'p' ? "true" : "false"});
  std::vector<int64_t> out;
  for (int i = 0; i < rows.rows(); ++i) out.push_back(number(rows.get(i, 0)));
  return out.size() > 1 ? out : ends(session, pairing, "");
}

// 0 where seconds count.
double share_of(const config::Settings& settings) {
  return settings.full_sync.scrub_seconds > 0 ? 0 : settings.full_sync.scrub_share;
}

uint64_t rows_of(const state::ScrubProof& proof) {
  uint64_t rows = 0;
  for (const state::PieceProof& piece : proof.pieces) rows += piece.rows;
  return rows;
}

}  // namespace

Scrub::Scrub(const config::Settings& settings, Comparison& comparison, int64_t cut_us, const std::string& node,
             const state::NodeReceipt& before, ProgressMeter& meter, GiveWay& way)
    : settings_(settings),
      comparison_(comparison),
      meter_(meter),
      way_(way),
      sift_(settings, comparison, meter, way),
      cut_us_(cut_us) {
  std::set<std::string> marked;
  for (const state::TableMark& mark : state::marked_tables(settings.state_directory))
    if (mark.node == node) marked.insert(mark.table);
  for (const Pairing& pairing : comparison.pairings())
    begin(pairing, before, marked.contains(pairing.pair.relation.text));
}

void Scrub::begin(const Pairing& pairing, const state::NodeReceipt& before, bool is_marked) {
  Table& table = tables_[pairing.pair.relation.text];
  table.pairing = &pairing;
  const auto found = before.tables.find(pairing.pair.relation.text);
  const std::optional<state::ScrubProof> old = found == before.tables.end() ? std::nullopt : found->second.scrub;
  if (!old)
    table.whole = "it has not been proven before";
  else if (is_marked)
    table.whole = "it is marked";
  else if (old->shape != shape_of(pairing))
    table.whole = "it is another table, or compared otherwise, than when it was proven";
  else if (old->source != source_of(settings_) || parse_lsn(old->lsn) > comparison_.cut().lsn() ||
           parse_lsn(old->lsn) == change::Lsn())
    table.whole = "the stream is another one than when it was proven";
  else if (std::ranges::any_of(
               old->pieces, [&](const state::PieceProof& piece) { return base::parse_iso_time(piece.time) > cut_us_; }))
    table.whole = "the clock was ahead of what it is now when it was proven";
  if (old) table.proof = *old;
}

void Scrub::run() {
  look_touched();
  prove_pieces();
  for (auto& [name, table] : tables_) {
    table.proof.time = base::iso_time(cut_us_);
    if (!table.whole.empty()) base::log(base::Level::debug, name + " is read as a whole: " + table.whole);
  }
}

void Scrub::look_touched() {
  Touched touched(settings_, comparison_, way_, sift_);
  for (const auto& [name, table] : tables_)
    if (table.whole.empty()) touched.add({table.pairing, parse_lsn(table.proof.lsn), rows_of(table.proof)});
  touched.look();
  for (auto& [name, table] : tables_) {
    if (!table.whole.empty()) continue;
    table.whole = touched.of(name).whole;
    table.proof.touched = table.proof.read = touched.of(name).keys;
    table.proof.lsn = comparison_.cut().lsn().text();
  }
}

ScrubLimits Scrub::limits() const {
  double since = settings_.full_sync.max_age;  // the pass before this one
  for (const auto& [name, table] : tables_)
    if (table.whole.empty())
      since = std::min(since, static_cast<double>(cut_us_ - base::parse_iso_time(table.proof.time)) / 1e6);
  return {share_of(settings_), settings_.full_sync.scrub_seconds, settings_.full_sync.max_age,
          std::max(settings_.synchronization.full_sync_interval, since)};
}

void Scrub::prove_pieces() {
  const ScrubLimits limited = limits();
  std::vector<Table*> tables;
  std::vector<Turn> turns;
  for (auto& [name, table] : tables_) {
    if (!table.whole.empty()) continue;
    const std::vector<state::PieceProof>& pieces = table.proof.pieces;
    for (size_t i = 0; i < pieces.size(); ++i)
      turns.push_back({tables.size(), i, base::parse_iso_time(pieces[i].time), pieces[i].rows,
                       pieces.size() == 1 && pieces[0].rows > 2 * least_piece_rows});
    tables.push_back(&table);
  }
  std::map<Table*, std::set<size_t>> proven;
  Turns order(limited, cut_us_, std::move(turns));
  const double began = base::monotonic_seconds();
  while (const std::optional<Turn> turn = order.next(base::monotonic_seconds() - began)) {
    Table& table = *tables[turn->table];
    if (!table.whole.empty()) continue;  // something in it differs
    prove(table, turn->piece);
    proven[&table].insert(turn->piece);
  }
  for (auto& [table, pieces] : proven) {
    if (!table->whole.empty() || !table->pairing->pair.integer_key) continue;
    for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) split_large(*table, *piece);  // from the end
  }
}

void Scrub::prove(Table& table, size_t piece) {
  std::vector<state::PieceProof>& pieces = table.proof.pieces;
  state::PieceProof& it = pieces[piece];
  meter_.begin(table.pairing->pair.relation.text, 2 * it.rows);
  const std::optional<int64_t> to = piece + 1 < pieces.size() ? pieces[piece + 1].from : std::nullopt;
  RangeSums sums;
  std::optional<uint64_t> left_out = 0;
  try {
    sums = sum_range(comparison_, *table.pairing, it.from, to, way_);
    if (sums.primary != sums.standby)
      left_out = sift_.range(*table.pairing, range_of_keys(table.pairing->pair, it.from, to), sums.primary.rows);
  } catch (const base::Error& failure) {
    if (!is_unreadable(failure)) throw;
    comparison_.look_again();
    table.whole = std::string("a part of it could not be read: ") + failure.what();
    return;
  }
  meter_.at(sums.primary.rows + sums.standby.rows);
  table.proof.read += sums.primary.rows;
  if (!left_out) {
    table.whole = "rows differ";
    return;
  }
  it.lsn = comparison_.cut().lsn().text();
  it.time = base::iso_time(cut_us_);
  it.rows = sums.primary.rows;
  it.left_out = *left_out;
  if (pieces.size() > 1) return;
  table.proof.whole_lsn = it.lsn;
  table.proof.whole_time = it.time;
}

// It has grown, mostly at the end of the keys.
void Scrub::split_large(Table& table, size_t piece) {
  std::vector<state::PieceProof>& pieces = table.proof.pieces;
  const size_t parts = parts_of(pieces, piece);
  if (parts == 1) return;
  const std::vector<int64_t> bounds =
      ends(comparison_.primary().session(), *table.pairing,
           range_of_keys(table.pairing->pair, pieces[piece].from,
                         piece + 1 < pieces.size() ? pieces[piece + 1].from : std::nullopt));
  if (bounds.size() == 2) split(pieces, piece, borders(bounds, parts));
}

std::string Scrub::text(const Pairing& pairing) const {
  const state::ScrubProof& proof = tables_.at(pairing.pair.relation.text).proof;
  return std::to_string(proof.touched) + " rows that changed, " + std::to_string(proof.read - proof.touched) +
         " others of about " + std::to_string(rows_of(proof)) + "; every row since " + proof.oldest().time +
         left_out_by_program(proof.left_out(), "; ");
}

state::ScrubProof whole_proof(const config::Settings& settings, Comparison& comparison, const Pairing& pairing,
                              uint64_t rows, uint64_t left_out, const std::string& time) {
  state::ScrubProof out;
  out.lsn = out.whole_lsn = comparison.cut().lsn().text();
  out.time = out.whole_time = time;
  out.source = source_of(settings);
  out.shape = shape_of(pairing);
  out.read = rows;
  out.pieces = {{std::nullopt, out.lsn, time, rows, left_out}};
  const size_t pieces = pairing.pair.integer_key ? pieces_for(rows, share_of(settings)) : 1;
  if (pieces == 1) return out;
  const std::vector<int64_t> bounds = bounds_of(comparison.primary().session(), pairing);
  if (bounds.size() > 1) split(out.pieces, 0, borders(bounds, pieces));
  return out;
}

void want_stream(const config::Settings& settings, const std::string& node, const state::NodeReceipt& receipt,
                 change::Lsn cut) {
  change::Lsn lowest = cut;
  for (const auto& [name, table] : receipt.tables)
    if (table.scrub) lowest = std::min(lowest, parse_lsn(table.scrub->lsn));
  spool::want_from(settings.spool.directory, node, lowest);
}

}  // namespace compare
