#include "apply/prepared.hpp"

#include "pg/quote.hpp"

namespace apply {
namespace {

using change::Value;

void append_row(std::string& out, std::span<const Value> row) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += '\t';
    pg::append_copy_value(out, row[i]);
  }
  out += '\n';
}

void append_staged(TableRows& rows, size_t statement, std::span<const Value> row) {
  rows.staged += std::to_string(statement);
  rows.staged += '\t';
  append_row(rows.staged, row);
  ++rows.staged_rows;
}

TableRows text_of(const TableEffect& effect) {
  TableRows rows;
  const change::Relation& relation = *effect.relation;
  std::vector<Value> keyed(relation.columns.size());  // all but the key stay absent, which COPY writes as NULL
  for (const auto& key : effect.deletes) {
    for (size_t i = 0; i < key.size(); ++i) keyed[relation.key[i]] = key[i];
    append_staged(rows, 0, keyed);
  }
  for (size_t group = 0; group < effect.updates.size(); ++group)
    for (const auto& row : effect.updates[group].rows) append_staged(rows, group + 1, row);
  for (const auto& row : effect.inserts) append_row(rows.inserts, row);
  return rows;
}

}  // namespace

std::unique_ptr<Prepared> prepare(std::unique_ptr<Piece> piece) {
  auto out = std::make_unique<Prepared>();
  out->piece = std::move(*piece);
  if (out->piece.in_order) return out;
  out->fold = fold(out->piece);
  if (!out->fold.possible) {
    out->fold = {};
    out->piece.in_order = true;
    return out;
  }
  for (const TableEffect& effect : out->fold.tables) out->rows.push_back(text_of(effect));
  return out;
}

}  // namespace apply
