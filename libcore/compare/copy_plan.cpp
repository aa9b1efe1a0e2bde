#include "compare/copy_plan.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "pg/quote.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;

struct Column {
  std::string type;
  bool generated = false;
  bool binary = false;  // its binary form says the same on another server
};

// The binary form of a built-in type is the same everywhere, but for those that are OIDs (reg*) and hold them; an
// enum's is its label. What an extension brings may have another form in another version.
constexpr const char* read_columns =
    R"(SELECT a.attname, pg_catalog.format_type(a.atttypid, NULL), a.attgenerated <> '',
              CASE WHEN t.typtype = 'd' THEN b.oid < 16384 AND b.typtype = 'b' AND b.typname !~ '^_?reg[a-z]+$'
                   ELSE t.typtype = 'e' OR
                        (t.oid < 16384 AND t.typtype IN ('b', 'r', 'm') AND t.typname !~ '^_?reg[a-z]+$') END
         FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
        WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)";

// Those of which all can be told as SQL, and that nothing else rests on: no foreign key, no replica identity. Only
// their owner may drop them. The primary key, too: even where rows come in its order, COPY into a table without any
// index took two thirds of the time, and making it afterwards a tenth. That a column is NOT NULL stays. What SQL does
// not tell: the storage parameters of a constraint's index, statistics wanted of a column of an index, that it goes
// with an extension. None where a trigger fires as rows come, which may look for others by an index, or name it in
// ON CONFLICT. ONLY, for a key concerns no table that inherits from this one, and who uses that is not to be waited
// for.
constexpr const char* read_indexes =
    R"(SELECT CASE WHEN k.oid IS NULL THEN pg_catalog.format('DROP INDEX %I.%I', n.nspname, c.relname)
                   ELSE pg_catalog.format('ALTER TABLE ONLY %s DROP CONSTRAINT %I', $1::text, k.conname) END,
              CASE WHEN k.oid IS NULL THEN pg_catalog.pg_get_indexdef(c.oid)
                   ELSE pg_catalog.format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', $1::text, k.conname,
                                          pg_catalog.pg_get_constraintdef(k.oid)) END
         FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_catalog.pg_class t ON t.oid = i.indrelid AND t.relkind = 'r' AND NOT t.relispartition
         LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = c.oid AND k.conrelid = i.indrelid
        WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid AND NOT i.indisreplident
          AND NOT i.indisclustered AND c.reltablespace = 0 AND pg_catalog.pg_has_role(t.relowner, 'USAGE')
          AND pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND coalesce(k.contype, 'u') IN ('p', 'u')
          AND (k.oid IS NULL OR c.reloptions IS NULL)
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g
                           WHERE g.tgrelid = i.indrelid AND g.tgtype & 4 <> 0 AND g.tgenabled IN ('A', 'R'))
          AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL
          AND pg_catalog.obj_description(k.oid, 'pg_constraint') IS NULL
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attstattarget >= 0)
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                           WHERE (d.refobjid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
                              OR (d.objid = c.oid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                  AND d.deptype IN ('e', 'x'))
                              OR (d.refobjid = k.oid AND d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                                  AND d.objid <> c.oid))
        ORDER BY c.relname)";

// Rows that COPY writes as frozen need not be looked at, and written, once more by what reads them first: the indexes.
// It does so only in a table that was emptied by TRUNCATE in the same transaction (manual, COPY), which a foreign key
// of another table forbids, and shuts out who reads: for the role's own tables only, as with their indexes.
constexpr const char* may_freeze =
    R"(SELECT FROM pg_catalog.pg_class t
        WHERE t.oid = pg_catalog.to_regclass($1) AND t.relkind = 'r' AND pg_catalog.pg_has_role(t.relowner, 'USAGE')
          AND pg_catalog.has_table_privilege(t.oid, 'TRUNCATE')
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                           WHERE k.confrelid = t.oid AND k.contype = 'f' AND k.conrelid <> t.oid)
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = t.oid AND g.tgtype & 32 <> 0))";

// What stands in the way of read_indexes where there is something to drop.
constexpr const char* read_missing_right =
    R"(SELECT CASE WHEN NOT pg_catalog.pg_has_role(t.relowner, 'USAGE')
                   THEN pg_catalog.format('is no member of %s, which owns the table', t.relowner::pg_catalog.regrole)
                   ELSE pg_catalog.format('lacks CREATE ON SCHEMA %I', n.nspname) END
         FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
        WHERE t.oid = pg_catalog.to_regclass($1) AND t.relkind = 'r' AND NOT t.relispartition
          AND NOT (pg_catalog.pg_has_role(t.relowner, 'USAGE') AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'))
          AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid))";

}  // namespace

CopyPlan plan_copy(pg::Session& primary, pg::Session& standby, const base::TableName& table,
                   const config::TableFilter* filter, bool as_text) {
  const std::string name = pg::quote_table(table);
  const std::string here = standby.node() + ": table " + table.text();
  const pg::Result theirs = primary.query(read_columns, {name});
  const pg::Result ours = standby.query(read_columns, {name});
  if (ours.rows() == 0)
    throw Error(Exit::data, here + " does not exist; create it with `pgtandem apply init --create-tables`");
  std::map<std::string, Column> there;
  for (int i = 0; i < ours.rows(); ++i)
    there[std::string(ours.get(i, 0))] = {std::string(ours.get(i, 1)), ours.get(i, 2) == "t", ours.get(i, 3) == "t"};
  CopyPlan plan;
  plan.binary = !as_text;
  std::string list;
  for (int i = 0; i < theirs.rows(); ++i) {
    const std::string column(theirs.get(i, 0));
    if (theirs.get(i, 2) == "t") continue;  // the standby generates its own
    if (filter != nullptr && !filter->columns.empty() &&
        std::ranges::find(filter->columns, column) == filter->columns.end())
      continue;
    const auto found = there.find(column);
    if (found == there.end() || found->second.generated)
      throw Error(Exit::data, here + (found == there.end() ? " has no column " : " generates the column ") + column +
                                  "; make it as on the primary");
    plan.binary =
        plan.binary && theirs.get(i, 3) == "t" && found->second.binary && found->second.type == theirs.get(i, 1);
    list += (list.empty() ? "" : ", ") + pg::quote_identifier(column);
  }
  const auto is_partitioned = [&](pg::Session& side) {
    return side.query("SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND relkind = 'p'",
                      {name})
               .rows() > 0;
  };
  plan.rows = (is_partitioned(standby) ? "" : "ONLY ") + name;
  const bool where = filter != nullptr && !filter->where.empty();
  const bool partitioned = is_partitioned(primary);
  const std::string format = plan.binary ? " (FORMAT binary)" : "";
  if (where || partitioned || list.empty())
    plan.out = "COPY (SELECT " + list + " FROM " + (partitioned ? "" : "ONLY ") + name +
               (where ? " WHERE " + pg::quote_condition(filter->where) : "") + ") TO STDOUT" + format;
  else
    plan.out = "COPY " + name + " (" + list + ") TO STDOUT" + format;
  plan.in = "COPY " + name + (list.empty() ? "" : " (" + list + ")") + " FROM STDIN" + format;
  if (standby.query(may_freeze, {name}).rows() > 0) {
    plan.truncate = "TRUNCATE " + plan.rows;
    plan.in += plan.binary ? "" : " (FORMAT text)";
    plan.in.insert(plan.in.size() - 1, ", FREEZE");
  }
  const pg::Result indexes = standby.query(read_indexes, {name});
  for (int i = 0; i < indexes.rows(); ++i) {
    plan.drop.emplace_back(indexes.get(i, 0));
    plan.create.emplace_back(indexes.get(i, 1));
  }
  const pg::Result missing = standby.query(read_missing_right, {name});
  if (missing.rows() > 0) plan.slow = missing.get(0, 0);
  return plan;
}

}  // namespace compare
