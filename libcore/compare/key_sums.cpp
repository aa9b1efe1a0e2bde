#include "compare/key_sums.hpp"

#include <functional>

#include "apply/target.hpp"
#include "base/error.hpp"
#include "compare/row_look.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

// A name that no table has; it must not hide a column's.
constexpr const char* alias = "\"pgtandem keys\"";

Sum sum_of(const pg::Result& row, int first) {
  Sum sum = parse_sum(row.get(0, first + 1));
  sum.rows = std::stoull(std::string(row.get(0, first)));
  return sum;
}

// LATERAL with OFFSET 0 leaves the planner no other way than one look into the index for each key.
// Nothing where the keys cannot be asked for, as where an enum's label is not there any more.
std::optional<Sum> sum_keys(pg::Session& session, const change::Relation& relation, const TableRead& table,
                            const Recipe& recipe, std::span<const RowKey> keys) {
  apply::Targets targets = apply::Targets::to_look(session);
  const apply::TargetTable& target = targets.of(relation);
  std::vector<std::string> arrays;
  std::string parameters;
  std::string names;
  std::string condition;
  for (size_t i = 0; i < relation.key.size(); ++i) {
    const size_t column = relation.key[i];
    const std::string name = "k" + std::to_string(i);
    arrays.push_back(key_array(keys, i));
    parameters += (i == 0 ? "$" : ", $") + std::to_string(i + 1) + "::text[]";
    names += (i == 0 ? "" : ", ") + name;
    condition += (i == 0 ? "" : " AND ") + target.columns[column] + " " + target.equals[i] + " " + alias + "." + name +
                 "::" + target.types[column];
  }
  const std::string sql = "SELECT count(*), sum(" + mixed("x", recipe.digest) + ") FROM (SELECT r.x FROM unnest(" +
                          parameters + ") AS " + alias + " (" + names + ") CROSS JOIN LATERAL (SELECT " +
                          row_hash(recipe.columns, recipe.digest) + " AS x FROM " + table.from +
                          where_sql({condition, table.where}) + " OFFSET 0) AS r OFFSET 0) AS s";
  const std::vector<pg::Parameter> values(arrays.begin(), arrays.end());
  session.query("SAVEPOINT pgtandem_keys");
  try {
    const pg::Result row = session.query_until_stopped(sql, values, should_end);
    if (!row) throw base::Error(base::Exit::try_later, "stopped before the proof was complete; start it again");
    const Sum sum = sum_of(row, 0);
    session.query("RELEASE SAVEPOINT pgtandem_keys");
    return sum;
  } catch (const pg::SqlError& refused) {
    if (!pg::is_refusal_of_rows(refused.sqlstate())) throw;
    session.query("ROLLBACK TO SAVEPOINT pgtandem_keys");
    return {};
  }
}

}  // namespace

Recipe recipe_of(const Comparison& comparison, const Pairing& pairing) {
  Recipe recipe;
  recipe.digest = comparison.digest();
  recipe.columns = pairing.pair.columns;
  return recipe;
}

std::string range_of_keys(const TablePair& pair, std::optional<int64_t> from, std::optional<int64_t> to) {
  const auto bound = [&](const char* relates, const std::optional<int64_t>& key) {
    return key ? key_column(pair) + relates + "'" + std::to_string(*key) + "'::bigint" : std::string();
  };
  const std::string low = bound(" >= ", from);
  const std::string high = bound(" < ", to);
  return low + (low.empty() || high.empty() ? "" : " AND ") + high;
}

bool same_rows(Comparison& comparison, const Pairing& pairing, const std::vector<std::vector<change::Value>>& keys,
               GiveWay& way) {
  const Recipe recipe = recipe_of(comparison, pairing);
  const std::vector<RowKey> spans(keys.begin(), keys.end());
  std::optional<Sum> ours;
  std::optional<Sum> theirs;
  const auto task = [&](Side& side, const TableRead& table, std::optional<Sum>& sum) {
    return [&, table] { sum = sum_keys(side.session(), pairing.pair.relation, table, recipe, spans); };
  };
  run_together({task(comparison.primary(), primary_read(pairing.pair, pairing.primary), ours),
                task(comparison.standby(), standby_read(pairing.pair, pairing.standby), theirs)},
               [&] { way.look(); });
  way.look();  // where none of the waits was long enough for it
  return ours && ours == theirs;
}

RangeSums sum_range(Comparison& comparison, const Pairing& pairing, std::optional<int64_t> from,
                    std::optional<int64_t> to, GiveWay& way) {
  const Recipe recipe = recipe_of(comparison, pairing);
  const std::string range = range_of_keys(pairing.pair, from, to);
  RangeSums sums;
  const auto task = [&](Side& side, const TableRead& table, Sum& sum) {
    return [&, table] {
      const pg::Result row = side.session().query_until_stopped(sums_sql(table, recipe, range), {}, should_end);
      if (row && row.rows() > 0) sum = sum_of(row, 1);
    };
  };
  run_together({task(comparison.primary(), primary_read(pairing.pair, pairing.primary), sums.primary),
                task(comparison.standby(), standby_read(pairing.pair, pairing.standby), sums.standby)},
               [&] { way.look(); });
  way.look();
  if (should_end()) throw base::Error(base::Exit::try_later, "stopped before the proof was complete; start it again");
  return sums;
}

}  // namespace compare
