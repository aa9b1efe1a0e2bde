#include "compare/verify_sample.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "compare/bucket_sums.hpp"
#include "compare/catalog_pairs.hpp"
#include "compare/row_proof.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

using base::Exit;

// Of pages chosen at random, all rows; where that gives too few (a small table, an old estimate), of all pages.
pg::Result choose(pg::Session& session, const std::string& columns, const std::string& from, const std::string& where,
                  double estimate, uint64_t rows) {
  // Ten times as many: whole pages are chosen, and one in ten of their rows makes them come from more of them.
  const double percent = std::min(100.0, 1000.0 * static_cast<double>(rows) / std::max(1.0, estimate));
  const auto ask = [&](const char* method, double share) {
    return session.query("SELECT " + columns + " FROM " + from + " TABLESAMPLE " + method + " (" +
                         std::to_string(share) + ")" + where_sql({where}) + " ORDER BY random() LIMIT " +
                         std::to_string(rows));
  };
  pg::Result some = ask("SYSTEM", percent);
  if (static_cast<uint64_t>(some.rows()) == rows || percent >= 100) return some;
  return ask("BERNOULLI", 100);
}

void add(RowProof& proof, const change::Relation& relation, const pg::Result& rows) {
  for (int i = 0; i < rows.rows(); ++i) {
    std::vector<change::Value> key;
    for (int c = 0; c < static_cast<int>(relation.key.size()); ++c) {
      const std::string_view text = rows.get(i, c);
      key.push_back(rows.is_null(i, c) ? change::Value::null_value()
                                       : change::Value::of({proof.arena().copy(text), text.size()}));
    }
    proof.add(relation, key);
    if (proof.full()) proof.look();
  }
}

}  // namespace

Exit verify_sample(const config::Settings& settings, const VerifyOptions& options) {
  const std::string node = settings.secondary(options.asked.node).name;
  const std::vector<base::TableName> tables = chosen_tables(settings, options.asked.tables);
  CatalogPairs pairs(settings, node);
  RowProof proof(settings, node);
  NotCompared not_compared;
  const auto sample = [&](const Pairing& pairing) {
    const TablePair& pair = pairing.pair;
    std::string columns;
    for (const uint16_t i : pair.relation.key)
      columns += (columns.empty() ? "" : ", ") + pg::quote_identifier(pair.relation.columns[i].name);
    // From the standby too: what it has too much is nowhere else.
    const uint64_t half = (options.sample + 1) / 2;
    add(proof, pair.relation,
        choose(pairs.primary(), columns, pair.primary_from, pair.primary_where, pairing.primary.rows, half));
    add(proof, pair.relation,
        choose(pairs.standby(), columns, pair.standby_from, "", pairing.standby.rows, options.sample - half));
  };
  const PausedTables paused = proof.paused();
  for (const base::TableName& table : tables) try {
      if (const auto found = paused.find(table.text()); found != paused.end())
        proof.leave_out(found->first, found->second);
      else
        sample(pairs.of(table));
    } catch (const NotComparable& failure) {
      not_compared.add(failure);
    }
  proof.look();
  options.print(options.json ? proof.json() : proof.text());
  base::log(base::Level::info, node + ": a look at some rows, which proves nothing of the others");
  not_compared.end();
  if (proof.result() == Exit::try_later)
    throw base::Error(Exit::try_later, node + ": some rows are written too often to be sure of; look again");
  return proof.result();
}

}  // namespace compare
