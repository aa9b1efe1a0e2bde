#include "apply/target.hpp"

#include <algorithm>
#include <set>

#include "apply/awake.hpp"
#include "base/error.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

using change::Identity;

[[noreturn]] void misfit(const pg::Session& session, const TargetTable& table, const std::string& what) {
  throw Misfit(session.node() + ": table " + table.shape.text + " " + what, table.shape, {});
}

}  // namespace

bool is_about_rows(const base::Error& error) {
  if (const auto* refused = dynamic_cast<const pg::SqlError*>(&error)) return pg::is_refusal_of_rows(*refused);
  return dynamic_cast<const Unfit*>(&error) != nullptr;
}

std::string column_list(const TargetTable& table) {
  std::string out;
  for (const std::string& column : table.columns) out += (out.empty() ? "" : ", ") + column;
  return out;
}

std::string match_condition(const TargetTable& table, const std::string& left, const std::string& right) {
  std::string out;
  for (size_t m = 0; m < table.match.size(); ++m) {
    const std::string& column = table.columns[table.match[m]];
    out += (out.empty() ? "" : " AND ") + left + "." + column + " " + table.equals[m] + " " + right + "." + column;
  }
  return out;
}

std::string set_nothing(const TargetTable& table) {
  const auto i = static_cast<size_t>(std::find(table.always.begin(), table.always.end(), false) - table.always.begin());
  const std::string& column = table.columns[i < table.columns.size() ? i : 0];
  return column + " = t." + column;
}

std::string clashes(const UniqueIndex& index, size_t element, const std::string& left, const std::string& right) {
  const std::string same = left + " " + index.equals[element] + " " + right;
  return "(" + same + (index.null_is_taken ? " OR " + left + " IS NULL AND " + right + " IS NULL)" : ")");
}

TargetTable& Targets::of(const change::Relation& relation) {
  TargetTable*& known = by_address_[&relation];
  if (known != nullptr) return *known;
  for (const std::unique_ptr<TargetTable>& table : known_)
    if (table->shape == relation) return *(known = table.get());
  auto table = std::make_unique<TargetTable>();
  table->shape = relation;
  table->name = pg::quote_table(relation.table);
  for (const change::Column& column : relation.columns) table->columns.push_back(pg::quote_identifier(column.name));
  const pg::Result found = session_.query(
      R"(SELECT c.oid, c.relkind,
                EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND g.tgenabled IN ('A', 'R')),
                pg_catalog.row_security_active(c.oid), pg_catalog.quote_ident(current_user),
                EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND NOT i.indimmediate)
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p'))",
      {relation.table.schema, relation.table.name});
  if (found.rows() == 0) misfit(session_, *table, "does not exist; create it as on the primary (pg_dump -s -t)");
  if (found.get(0, 3) == "t")  // the server would refuse it, too (row_security is off), but not say what to do
    throw base::Error(base::Exit::no_right, session_.node() + ": table " + relation.text +
                                                " has row-level security that the role is subject to; ALTER ROLE " +
                                                std::string(found.get(0, 4)) + " BYPASSRLS");
  const std::string oid(found.get(0, 0));
  check_asleep(*table, oid);
  table->partitioned = found.get(0, 1) == "p";
  table->rows = (table->partitioned ? "" : "ONLY ") + table->name;
  table->fires = found.get(0, 2) == "t";
  table->defers = found.get(0, 5) == "t";
  read_columns(*table, oid);
  read_match(*table, oid);
  table->depth = depth_of(oid);
  known_.push_back(std::move(table));
  return *(known = known_.back().get());
}

// The primary's rows hold already what the primary's triggers did.
void Targets::check_asleep(const TargetTable& table, const std::string& oid) {
  if (!writes_ || session_.replica_role()) return;
  const std::vector<std::string> awake = sleep_statements(session_, oid);
  if (awake.empty()) return;
  const std::string grant = replica_grant(session_);
  throw base::Error(base::Exit::no_right, session_.node() + ": table " + table.shape.text +
                                              " has triggers or rules that would change what the primary sends; " +
                                              (grant.empty() ? "" : grant + ", or ") + awake.front());
}

void Targets::read_columns(TargetTable& table, const std::string& oid) {
  const pg::Result rows = session_.query(
      R"(SELECT a.attname, a.attgenerated <> '', pg_catalog.format_type(a.atttypid, -1), a.attidentity = 'a', a.atttypid,
                t.typtype = 'e', pg_catalog.format_type(a.atttypid, NULL),
                a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefaultbin IS NULL,
                pg_catalog.format_type(a.atttypid, a.atttypmod), t.typtype = 'd'
           FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped)",
      {oid});
  std::map<std::string, int, std::less<>> there;
  std::vector<StandbyColumn> columns;
  int generated = 0;
  for (int i = 0; i < rows.rows(); ++i) {
    there[std::string(rows.get(i, 0))] = i;
    columns.push_back({std::string(rows.get(i, 0)), std::string(rows.get(i, 6)), rows.get(i, 1) == "t",
                       rows.get(i, 7) == "t" && !table.fires && writes_, std::string(rows.get(i, 8))});
    generated += rows.get(i, 1) == "t";
  }
  const change::Relation& relation = table.shape;
  check_shape(session_.node(), relation, tables_ == nullptr ? std::nullopt : tables_->was(relation.text), columns,
              follows_);
  table.has_own_columns = rows.rows() - generated > static_cast<int>(relation.columns.size());
  for (const change::Column& column : relation.columns) {
    const int i = there.at(column.name);
    table.types.emplace_back(rows.get(i, 2));
    const uint32_t type = static_cast<uint32_t>(std::stoul(std::string(rows.get(i, 4))));
    table.type_oids.push_back(type);
    table.forms.push_back(pg::binary_form(type, rows.get(i, 5) == "t"));
    table.always.push_back(rows.get(i, 3) == "t");
    table.domains.push_back(rows.get(i, 9) == "t");
  }
}

// What finds a row: the stream's key needs a unique index here, or updates could meet several rows and inserts none.
void Targets::read_match(TargetTable& table, const std::string& oid) {
  const change::Relation& relation = table.shape;
  if (relation.key.empty()) {
    table.match_is_unique = !relation.columns.empty();  // without a column all rows are alike
    return;
  }
  const pg::Result rows = session_.query(
      R"(SELECT i.indexrelid, i.indisprimary, a.attname,
                CASE WHEN k.coll NOT IN (0, a.attcollation)
                     THEN pg_catalog.format('COLLATE %I.%I ', ln.nspname, l.collname) ELSE '' END
                || pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
           FROM pg_catalog.pg_index i
           CROSS JOIN LATERAL  -- of several arrays, which only the bare name can
             unnest(i.indkey[0:i.indnkeyatts - 1], i.indclass[0:i.indnkeyatts - 1],
                    i.indcollation[0:i.indnkeyatts - 1]) AS k(attnum, class, coll)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
           LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.coll
           LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
           JOIN pg_catalog.pg_opclass own ON own.oid = k.class
           JOIN pg_catalog.pg_am b ON b.amname = 'btree'
           JOIN pg_catalog.pg_opclass c ON c.opcmethod = b.oid  -- WITHOUT OVERLAPS has no operator class of equality
             AND CASE WHEN own.opcmethod = b.oid THEN c.oid = own.oid
                      ELSE c.opcdefault AND c.opcintype = own.opcintype END
           JOIN pg_catalog.pg_amop s ON s.amopfamily = c.opcfamily AND s.amopstrategy = 3
             AND s.amoplefttype = c.opcintype AND s.amoprighttype = c.opcintype
           JOIN pg_catalog.pg_operator o ON o.oid = s.amopopr
           JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
          WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
            AND i.indpred IS NULL AND i.indexprs IS NULL)",
      {oid});
  using Columns = std::map<std::string, std::string>;  // to their operators
  std::map<std::string, Columns> indexes;
  std::string primary;
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string index(rows.get(i, 0));
    indexes[index].emplace(rows.get(i, 2), rows.get(i, 3));
    if (rows.get(i, 1) == "t") primary = index;
  }
  if (relation.identity == Identity::full) {
    for (uint16_t i = 0; i < relation.columns.size(); ++i)
      if (primary.empty() || indexes[primary].contains(relation.columns[i].name)) table.match.push_back(i);
    table.match_is_unique = !primary.empty() && table.match.size() == indexes[primary].size();
    if (!table.match_is_unique) table.match = relation.key;
    for (const uint16_t i : table.match)
      table.equals.push_back(table.match_is_unique ? indexes[primary].at(relation.columns[i].name) : "");
    return;
  }
  std::set<std::string> wanted;
  std::string names;
  for (const uint16_t i : relation.key) {
    wanted.insert(relation.columns[i].name);
    names += (names.empty() ? "" : ", ") + table.columns[i];
  }
  const auto found = std::find_if(indexes.begin(), indexes.end(), [&](const auto& index) {
    return std::ranges::equal(index.second, wanted, {}, [](const auto& column) { return column.first; });
  });
  if (found == indexes.end())
    misfit(session_, table,
           "has no unique index on the primary's key; CREATE UNIQUE INDEX ON " + table.name + " (" + names + ")");
  table.match = relation.key;
  for (const uint16_t i : table.match) table.equals.push_back(found->second.at(relation.columns[i].name));
}

// Parents are lower than their children, so that foreign keys hold where the session may not switch them off.
int Targets::depth_of(const std::string& oid) {
  if (!references_read_) {
    const pg::Result rows = session_.query(
        "SELECT conrelid, confrelid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conrelid <> confrelid");
    for (int i = 0; i < rows.rows(); ++i) references_.emplace(std::string(rows.get(i, 0)), std::string(rows.get(i, 1)));
    references_read_ = true;
  }
  std::set<std::string> level{oid};
  int depth = 0;
  while (!level.empty() && depth < 64) {  // a cycle has no depth: such tables fall back to their own order
    std::set<std::string> next;
    for (const std::string& table : level)
      for (auto [at, end] = references_.equal_range(table); at != end; ++at) next.insert(at->second);
    level = std::move(next);
    if (!level.empty()) ++depth;
  }
  return depth;
}

const std::string& Targets::stage(TargetTable& table) {
  if (!table.stage.empty()) return table.stage;
  const std::string name = "pg_temp.pgtandem_stage_" + std::to_string(++stages_);
  std::string columns;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& column = table.columns[i];
    const bool as_it_is = !table.domains[i] && std::ranges::find(table.match, i) != table.match.end();
    columns += ", " + (as_it_is ? column : "coalesce(" + column + ", NULL) AS " + column);
  }
  session_.query("CREATE TEMPORARY TABLE " + name.substr(8) + " ON COMMIT DELETE ROWS AS SELECT 0 AS " +
                 pg::quote_identifier(stage_group) + columns + " FROM " + table.name + " WITH NO DATA");
  return table.stage = name;
}

const std::vector<UniqueIndex>& Targets::unique_indexes(TargetTable& table) {
  if (table.unique) return *table.unique;
  table.unique.emplace();
  const pg::Result rows = session_.query(
      R"(SELECT i.indexrelid, pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, true),
                coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ''),
                CASE WHEN k.coll NOT IN (0, coalesce(a.attcollation, 0))
                     THEN pg_catalog.format('COLLATE %I.%I ', ln.nspname, l.collname) ELSE '' END
                || pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname), k.place,
                coalesce((pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),  -- from 15 on
                NOT i.indimmediate, i.indexrelid::pg_catalog.regclass, false
           FROM pg_catalog.pg_index i
           CROSS JOIN LATERAL unnest(i.indclass[0:i.indnkeyatts - 1], i.indcollation[0:i.indnkeyatts - 1])
             WITH ORDINALITY AS k(class, coll, place)
           LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place::int - 1]
           LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.coll
           LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
           JOIN pg_catalog.pg_opclass c ON c.oid = k.class
           JOIN pg_catalog.pg_amop s ON s.amopfamily = c.opcfamily AND s.amopstrategy = 3
             AND s.amoplefttype = c.opcintype AND s.amoprighttype = c.opcintype
           JOIN pg_catalog.pg_operator o ON o.oid = s.amopopr
           JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
          WHERE i.indrelid = $1::pg_catalog.regclass AND i.indisunique AND i.indisready
         UNION ALL
         SELECT i.indexrelid, pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, true),
                coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ''),
                CASE WHEN k.coll NOT IN (0, coalesce(a.attcollation, 0))
                     THEN pg_catalog.format('COLLATE %I.%I ', ln.nspname, l.collname) ELSE '' END
                || pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname), k.place, false,
                NOT i.indimmediate, i.indexrelid::pg_catalog.regclass, true
           FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_constraint x ON x.conindid = i.indexrelid AND x.contype = 'x'
           CROSS JOIN LATERAL unnest(x.conexclop, i.indcollation[0:i.indnkeyatts - 1])
             WITH ORDINALITY AS k(operator, coll, place)
           LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place::int - 1]
           LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.coll
           LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
           JOIN pg_catalog.pg_operator o ON o.oid = k.operator
           JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
          WHERE i.indrelid = $1::pg_catalog.regclass
          ORDER BY 1, 5)",
      {table.name});
  std::string last;
  for (int i = 0; i < rows.rows(); ++i) {
    if (rows.get(i, 0) != last)
      table.unique->push_back({{},
                               {},
                               std::string(rows.get(i, 2)),
                               rows.get(i, 5) == "t",
                               rows.get(i, 6) == "t",
                               std::string(rows.get(i, 7)),
                               rows.get(i, 8) == "t"});
    last = rows.get(i, 0);
    table.unique->back().elements.emplace_back(rows.get(i, 1));
    table.unique->back().equals.emplace_back(rows.get(i, 3));
  }
  return *table.unique;
}

std::string Targets::alone(const base::TableName& table) {
  const std::string name = pg::quote_table(table);
  const pg::Result partitioned = session_.query(
      "SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND relkind = 'p'", {name});
  return (partitioned.rows() > 0 ? "" : "ONLY ") + name;
}

void Targets::check_types(const TargetTable& table) {
  if (std::find(table.forms.begin(), table.forms.end(), pg::Binary::none) != table.forms.end()) return;
  const pg::Result now = session_.query("SELECT " + column_list(table) + " FROM " + table.name + " LIMIT 0");
  for (size_t i = 0; i < table.type_oids.size(); ++i)
    if (now.type(static_cast<int>(i)) != table.type_oids[i])
      throw Unfit(session_.node() + ": table " + table.shape.text + " has another type of column " + table.columns[i] +
                  " than before; reading it again");
}

}  // namespace apply
