#include "check/tables.hpp"

#include <optional>

#include "apply/target.hpp"
#include "capture/table_fit.hpp"
#include "compare/table_pair.hpp"
#include "compare/table_shape.hpp"
#include "pg/quote.hpp"

namespace check {
namespace {

using base::TableName;

std::string place_of(const Side& side, const TableName& table) { return side.name() + " " + table.text(); }

constexpr const char* describe_identity =
    R"(SELECT c.relreplident
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2)";

// Constraints that wait for the commit are not looked at again in a session that is a replica: apply asks for what
// breaks them itself. That of a foreign key does no harm: the primary checked it.
constexpr const char* describe_deferrable = R"(
  SELECT o.conname, pg_catalog.replace(pg_catalog.replace(pg_catalog.pg_get_constraintdef(o.oid),
                                                          ' DEFERRABLE', ''), ' INITIALLY DEFERRED', '')
    FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND o.condeferrable AND o.contype IN ('u', 'p', 'x') ORDER BY 1)";

constexpr const char* describe_unlogged = R"(
  SELECT pg_catalog.format('%I.%I', m.nspname, l.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class l
      ON l.oid = c.oid OR l.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf)
    JOIN pg_catalog.pg_namespace m ON m.oid = l.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND l.relpersistence = 'u' ORDER BY 1)";

// Sequences that a column takes its default from: apply moves those that belong to it, others nobody does. Only where
// an index gives the column's greatest value at once.
constexpr const char* describe_sequences = R"(
  SELECT a.attname, sn.nspname, s.relname, q.seqincrement > 0, owned.yes
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum
    JOIN pg_catalog.pg_class s ON s.relkind = 'S'
    JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
    CROSS JOIN LATERAL (
      SELECT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.objid = s.oid AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
                        AND d.deptype IN ('a', 'i')
                        AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass) AS yes) owned
   WHERE n.nspname = $1 AND c.relname = $2
     AND (owned.yes OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                                WHERE d.objid = f.oid AND d.refobjid = s.oid
                                  AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass))
     AND EXISTS (SELECT FROM pg_catalog.pg_index i
                  WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL)
   ORDER BY 1, 2, 3)";

void look_at_sequences(pg::Session& session, const TableName& table, const std::string& place, Findings& findings) {
  const pg::Result rows = session.query(describe_sequences, {table.schema, table.name});
  for (int i = 0; i < rows.rows(); ++i) {
    const std::string column = pg::quote_identifier(rows.get(i, 0));
    const std::string sequence = pg::quote_table({std::string(rows.get(i, 1)), std::string(rows.get(i, 2))});
    const bool up = rows.get(i, 3) == "t";
    const bool owned = rows.get(i, 4) == "t";
    const std::string farthest = up ? "max" : "min";
    const pg::Result behind = session.query(
        "SELECT v.at, v.last FROM (SELECT (SELECT " + farthest + "(" + column + ") FROM " + pg::quote_table(table) +
            ")::numeric AS at, pg_catalog.pg_sequence_last_value($1::pg_catalog.regclass)::numeric AS last) v "
            "WHERE v.at " +
            (up ? ">" : "<") +
            " coalesce(v.last, (SELECT seqstart - seqincrement FROM "
            "pg_catalog.pg_sequence WHERE seqrelid = $1::pg_catalog.regclass))",
        {sequence});
    if (behind.rows() == 0) continue;
    const std::string at(behind.get(0, 0));
    findings.add({Severity::warning, "sequence", place,
                  "the sequence " + sequence + " of the column " + column + " is behind its values (" +
                      (behind.is_null(0, 1) ? "never used" : std::string(behind.get(0, 1))) + ", the farthest is " +
                      at + "): were this side to take over, inserts would meet duplicate keys",
                  "SELECT setval(" + pg::quote_literal(sequence) + ", " + at + ");" +
                      (owned ? ""
                             : " ALTER SEQUENCE " + sequence + " OWNED BY " + pg::quote_table(table) + "." + column +
                                   "; so that apply moves it")});
  }
}

void look_at_standbys_own(pg::Session& session, const TableName& table, const std::string& place, Findings& findings) {
  const pg::Result unlogged = session.query(describe_unlogged, {table.schema, table.name});
  for (int i = 0; i < unlogged.rows(); ++i)
    findings.add({Severity::warning, "table", place, "it is unlogged here: a crash of this server empties it",
                  "ALTER TABLE " + std::string(unlogged.get(i, 0)) + " SET LOGGED;"});
  const pg::Result deferrable = session.query(describe_deferrable, {table.schema, table.name});
  for (int i = 0; i < deferrable.rows(); ++i) {
    const std::string name = pg::quote_identifier(deferrable.get(i, 0));
    findings.add({Severity::note, "table", place,
                  "the constraint " + name +
                      " is deferrable: apply looks for rows that break it at each batch's end; " +
                      "where the primary's is not deferrable, this one need not be",
                  "ALTER TABLE " + pg::quote_table(table) + " DROP CONSTRAINT " + name + ", ADD CONSTRAINT " + name +
                      " " + std::string(deferrable.get(i, 1)) + ";"});
  }
  look_at_sequences(session, table, place, findings);
}

std::optional<compare::TableShape> shape_of(Side& side, const TableName& table) {
  std::optional<compare::TableShape> shape;
  side.look("table", place_of(side, table), [&](pg::Session& session) { shape = compare::read_shape(session, table); });
  return shape;
}

}  // namespace

std::vector<TableName> look_at_captured(const config::Settings& settings, Side& primary, Findings& findings) {
  std::vector<TableName> there;
  for (const TableName& table : settings.synchronization.sync_tables) {
    const std::string place = place_of(primary, table);
    primary.look("table", place, [&](pg::Session& session) {
      const pg::Result identity = session.query(describe_identity, {table.schema, table.name});
      if (identity.rows() > 0) there.push_back(table);
      capture::check_table(session, table);
      if (identity.get(0, 0) == "n")
        findings.add(
            {Severity::note, "table", place,
             "its replica identity is NOTHING: PostgreSQL refuses updates and deletes of it while it is synced",
             "ALTER TABLE " + pg::quote_table(table) + " REPLICA IDENTITY DEFAULT; if there are to be any"});
    });
  }
  return there;
}

void look_at_applied(const config::Settings& settings, Side& primary, Side& standby, Findings& findings) {
  for (const TableName& table : settings.synchronization.sync_tables) {
    const std::string place = place_of(standby, table);
    const std::optional<compare::TableShape> ours = shape_of(primary, table);
    const std::optional<compare::TableShape> theirs = shape_of(standby, table);
    if (theirs && theirs->exists)
      standby.look("table", place,
                   [&](pg::Session& session) { look_at_standbys_own(session, table, place, findings); });
    if (!ours || !theirs || !ours->exists) continue;
    const auto filter = settings.filters.tables.find(table);
    try {
      const compare::TablePair pair =
          pair_tables(*ours, *theirs, filter == settings.filters.tables.end() ? nullptr : &filter->second);
      for (const std::string& note : pair.notes) findings.add(Severity::note, "schema", place, note);
      standby.look("schema", place, [&](pg::Session& session) { apply::Targets(session).of(pair.relation); });
    } catch (const base::Error& misfit) {
      const bool of_primary = std::string(misfit.what()).starts_with(primary.name() + ": ");
      findings.add(Severity::error, "schema", of_primary ? place_of(primary, table) : place, misfit.what());
    }
  }
}

}  // namespace check
