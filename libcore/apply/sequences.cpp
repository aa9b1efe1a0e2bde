#include "apply/sequences.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "pg/quote.hpp"

namespace apply {
namespace {

bool number_of(const change::Value& value, int64_t& number) {
  if (value.kind != change::ValueKind::text) return false;
  const auto [end, failed] = std::from_chars(value.data, value.data + value.size, number);
  return failed == std::errc() && end == value.data + value.size;
}

// The sequences that columns of the table $1 own.
constexpr const char* owned = R"(
           FROM pg_catalog.pg_depend d
           JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.refobjid = $1::pg_catalog.regclass AND d.deptype IN ('a', 'i')
            AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)";

std::string owned_by(const std::vector<base::TableName>& tables) {
  std::string names;
  for (const base::TableName& table : tables)
    names += (names.empty() ? "" : ", ") + pg::quote_literal(pg::quote_table(table)) + "::pg_catalog.regclass";
  return R"(pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
            JOIN pg_catalog.pg_class c ON c.oid = d.objid
           WHERE d.refobjid IN ()" +
         names + R"() AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
             AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)";
}

}  // namespace

void Sequences::follow(pg::Session& session, const Piece& piece) {
  // TRUNCATE … RESTART IDENTITY has put them back.
  if (std::any_of(piece.truncates.begin(), piece.truncates.end(),
                  [](const Truncate& what) { return what.restart_identity; }))
    owned_.clear();
  std::map<Owned*, int64_t> moved;
  const change::Relation* relation = nullptr;
  std::vector<Owned>* sequences = nullptr;
  for (const Operation& operation : piece.operations) {
    if (operation.type == change::EventType::remove) continue;
    if (relation != operation.relation) sequences = &of(session, *(relation = operation.relation));
    for (Owned& sequence : *sequences) {
      int64_t value = 0;
      if (!number_of(operation.row[sequence.column], value) || value < sequence.min || value > sequence.max) continue;
      const auto found = moved.find(&sequence);
      const int64_t at = found == moved.end() ? sequence.value : found->second;
      if (sequence.increment > 0 ? value > at : value < at) moved[&sequence] = value;
    }
  }
  for (const auto& [sequence, value] : moved) {
    session.query("SELECT pg_catalog.setval($1::pg_catalog.regclass, $2::bigint)",
                  {sequence->name, std::to_string(value)});
    sequence->value = value;
  }
}

std::vector<Sequences::Owned>& Sequences::of(pg::Session& session, const change::Relation& relation) {
  const auto [known, is_new] = owned_.try_emplace(&relation);
  if (!is_new) return known->second;
  const pg::Result rows = session.query(std::string(R"(SELECT a.attname, n.nspname, c.relname, s.seqincrement,
                coalesce(pg_catalog.pg_sequence_last_value(c.oid), s.seqstart - s.seqincrement), s.seqmin, s.seqmax)") +
                                            owned,
                                        {pg::quote_table(relation.table)});
  for (int i = 0; i < rows.rows(); ++i) {
    Owned sequence;
    while (sequence.column < relation.columns.size() && relation.columns[sequence.column].name != rows.get(i, 0))
      ++sequence.column;
    if (sequence.column == relation.columns.size()) continue;  // a column that only the standby has
    sequence.name = pg::quote_table({std::string(rows.get(i, 1)), std::string(rows.get(i, 2))});
    sequence.increment = std::stoll(std::string(rows.get(i, 3)));
    sequence.value = std::stoll(std::string(rows.get(i, 4)));
    sequence.min = std::stoll(std::string(rows.get(i, 5)));
    sequence.max = std::stoll(std::string(rows.get(i, 6)));
    known->second.push_back(std::move(sequence));
  }
  return known->second;
}

void go_on_after_rows(pg::Session& session, const base::TableName& table) {
  const pg::Result statements = session.query(
      std::string(
          R"(SELECT pg_catalog.format('SELECT pg_catalog.setval(%L::pg_catalog.regclass, x) FROM (SELECT %s(%I)::bigint AS x '
                                  'FROM %s) m WHERE x BETWEEN %s AND %s',
                                  pg_catalog.format('%I.%I', n.nspname, c.relname),
                                  CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END, a.attname, $1::text,
                                  s.seqmin, s.seqmax))") +
          owned +
          " AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype)",
      {pg::quote_table(table)});
  for (int i = 0; i < statements.rows(); ++i) session.query(std::string(statements.get(i, 0)));
}

bool may_restart(pg::Session& session, const std::vector<base::TableName>& tables) {
  return session.query("SELECT FROM " + owned_by(tables) + " AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')")
             .rows() == 0;
}

void restart(pg::Session& session, const std::vector<base::TableName>& tables) {
  session.query("SELECT pg_catalog.setval(c.oid::pg_catalog.regclass, s.seqstart, false) FROM " + owned_by(tables));
}

}  // namespace apply
