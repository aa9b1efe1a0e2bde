#include "capture/publication.hpp"

#include <map>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "capture/filter_identity.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace capture {
namespace {

using base::Error;
using base::Exit;
using base::TableName;
using config::TableFilter;

constexpr int has_filters = 150000;  // the version from which a publication has conditions and column lists

// What a publication lets through.
struct Member {
  std::string where;              // as the server writes it; empty: every row
  std::set<std::string> columns;  // empty: all of them
};
struct Published {
  std::map<TableName, Member> tables;
  bool every_kind = true;  // of change
  std::string note;        // its comment
};

Published published(pg::Session& session, const std::string& name) {
  const bool filters = session.server_version() >= has_filters;
  const std::string where = filters ? "pg_catalog.pg_get_expr(r.prqual, r.prrelid)" : "NULL";
  const pg::Result rows = session.query(
      R"(SELECT t.schemaname, t.tablename,
                p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AND p.pubviaroot,
                )" +
          where +
          R"(, pg_catalog.obj_description(p.oid, 'pg_publication')
           FROM pg_catalog.pg_publication_tables t
           JOIN pg_catalog.pg_publication p ON p.pubname = t.pubname
           JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
           LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
          WHERE t.pubname = $1)",
      {name});
  Published out;
  for (int i = 0; i < rows.rows(); ++i) {
    out.tables[{std::string(rows.get(i, 0)), std::string(rows.get(i, 1))}].where = rows.get(i, 3);
    out.every_kind = out.every_kind && rows.get(i, 2) == "t";
    out.note = rows.get(i, 4);
  }
  if (!filters) return out;
  const pg::Result columns = session.query(
      R"(SELECT n.nspname, c.relname, a.attname
           FROM pg_catalog.pg_publication p
           JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid
           JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (r.prattrs)
          WHERE p.pubname = $1)",
      {name});
  for (int i = 0; i < columns.rows(); ++i)
    out.tables[{std::string(columns.get(i, 0)), std::string(columns.get(i, 1))}].columns.emplace(columns.get(i, 2));
  return out;
}

const TableFilter* filter_of(const config::Settings& settings, const TableName& table) {
  const auto found = settings.filters.tables.find(table);
  return found == settings.filters.tables.end() ? nullptr : &found->second;
}

// What was asked and what the server made of it, side by side in the publication's comment: the server keeps only its
// own spelling of a condition, which cannot be compared to the user's.
std::string note_of(const config::Settings& settings, const Published& now) {
  std::string note;
  for (const auto& [table, filter] : settings.filters.tables) {
    if (filter.where.empty()) continue;
    const auto member = now.tables.find(table);
    note += (note.empty() ? "pgtandem: " : "; ") + pg::quote_table(table) + " WHERE (" + filter.where + ") is " +
            (member == now.tables.end() ? "" : member->second.where);
  }
  return note;
}

bool is_noted(const config::Settings& settings, const Published& now) {
  const std::string note = note_of(settings, now);
  return note.empty() || note == now.note;
}

// Why it does not fit; empty where it does.
std::string misfit(const config::Settings& settings, const Published& now) {
  const std::vector<TableName>& tables = settings.synchronization.sync_tables;
  const std::string out_of_list = "does not fit sync_tables, or leaves changes of them out";
  if (!now.every_kind || now.tables.size() > tables.size()) return out_of_list;
  for (const TableName& table : tables) {
    const auto member = now.tables.find(table);
    if (member == now.tables.end())
      return out_of_list + ": it lacks " + table.text() + " (was that dropped and made again?)";
    const TableFilter* const filter = filter_of(settings, table);
    const bool wants_where = filter != nullptr && !filter->where.empty();
    std::set<std::string> columns;
    if (filter != nullptr) columns = {filter->columns.begin(), filter->columns.end()};
    if (wants_where == member->second.where.empty() || columns != member->second.columns)
      return "filters " + table.text() + " otherwise than the configuration";
  }
  return is_noted(settings, now) ? "" : "has other conditions (where) than the configuration's filters";
}

// Partitions are published as their root, so that the standby may be partitioned otherwise.
constexpr const char* publish_all = "(publish = 'insert, update, delete, truncate', publish_via_partition_root = true)";

// One member of FOR TABLE. ONLY: a table that inherits from it is synced when it is named itself.
std::string member_sql(const config::Settings& settings, const TableName& table) {
  std::string out = "ONLY " + pg::quote_table(table);
  const TableFilter* const filter = filter_of(settings, table);
  if (filter == nullptr) return out;
  std::string columns;
  for (const std::string& column : filter->columns)
    columns += (columns.empty() ? "" : ", ") + pg::quote_identifier(column);
  if (!columns.empty()) out += " (" + columns + ")";
  if (!filter->where.empty()) out += " WHERE " + pg::quote_condition(filter->where);
  return out;
}

std::string member_list(const config::Settings& settings) {
  std::string list;
  for (const TableName& table : settings.synchronization.sync_tables)
    list += (list.empty() ? "" : ", ") + member_sql(settings, table);
  return list;
}

// By the protocol that takes one statement only, whatever a condition holds.
void run_one(pg::Session& session, const std::string& sql) { session.query(sql, std::span<const pg::Parameter>()); }

// All or nothing; what fails leaves the server as it was.
template <class Work>
void in_transaction(pg::Session& session, const char* end, Work work) {
  session.query("BEGIN");
  try {
    work();
  } catch (const base::Transient&) {
    throw;  // the session is dead
  } catch (const Error&) {
    session.query("ROLLBACK");
    throw;
  }
  session.query(end);
}

void check_columns(pg::Session& session, const TableName& table, const TableFilter& filter) {
  const std::string named = session.node() + ": filters." + table.text() + ".columns";
  for (const std::string& column : filter.columns) {
    const pg::Result found = session.query(
        R"(SELECT a.attgenerated <> ''
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped)",
        {table.schema, table.name, column});
    if (found.rows() == 0)
      throw Error(Exit::config, named + " names " + pg::quote_identifier(column) +
                                    ", which the table does not have; correct the configuration");
    if (found.get(0, 0) == "t")
      throw Error(Exit::config, named + " names " + pg::quote_identifier(column) +
                                    ", which is generated: the standby generates its own; remove it there");
  }
}

// The condition has to be right at two places that read it differently: a text that closes our parenthesis and goes on
// passes at most one of them.
void check_filter(pg::Session& session, const config::Settings& settings, const std::string& name,
                  const TableName& table, const TableFilter& filter) {
  if (session.server_version() < has_filters)
    throw Error(Exit::config, session.node() + ": filters of tables need PostgreSQL 15, this server is " +
                                  std::to_string(session.server_version() / 10000) +
                                  "; remove them, or filter by filters.program");
  check_columns(session, table, filter);
  const std::string trial = name.substr(0, 56) + "_trial";
  try {
    if (!filter.where.empty())
      session.prepare("", "SELECT FROM ONLY " + pg::quote_table(table) + " WHERE " + pg::quote_condition(filter.where));
    in_transaction(session, "ROLLBACK", [&] {
      run_one(session, "CREATE PUBLICATION " + pg::quote_identifier(trial) + " FOR TABLE " +
                           member_sql(settings, table) + " WITH " + publish_all);
      check_identity(session, trial, table, filter);
    });
  } catch (const pg::SqlError& refused) {
    if (refused.kind() == Exit::no_right) throw;
    throw Error(Exit::config, session.node() + ": filters." + table.text() +
                                  ": PostgreSQL refuses it: " + refused.reason() + "; correct the configuration");
  }
}

void warn_of_changes(const config::Settings& settings, const Published& before, const Published& now,
                     const std::string& name) {
  using base::Level;
  if (!before.every_kind)
    base::log(Level::warn, "publication " + name + " left changes out, and no longer does; compare the tables");
  for (const TableName& table : settings.synchronization.sync_tables) {
    const auto old = before.tables.find(table);
    if (old == before.tables.end()) {
      base::log(Level::warn, "table " + table.text() + " joined the publication: rows that it had before now are not " +
                                 "in the stream; copy them to the standby");
      continue;
    }
    const Member& member = now.tables.at(table);
    if (old->second.where != member.where || old->second.columns != member.columns)
      base::log(Level::warn, "table " + table.text() + " has another filter from now on: rows that it had before are " +
                                 "on the standby as the old one left them; compare and mend, or copy them");
  }
}

}  // namespace

bool publication_exists(pg::Session& session, const std::string& name) {
  return session.query("SELECT FROM pg_catalog.pg_publication WHERE pubname = $1", {name}).rows() > 0;
}

bool make_publication(pg::Session& session, const config::Settings& settings, const std::string& name) {
  const bool make = !publication_exists(session, name);
  const Published before = make ? Published{} : published(session, name);
  if (!make && misfit(settings, before).empty()) return false;
  for (const auto& [table, filter] : settings.filters.tables) check_filter(session, settings, name, table, filter);
  const std::string quoted = pg::quote_identifier(name);
  Published now;
  in_transaction(session, "COMMIT", [&] {
    if (make) {
      run_one(session, "CREATE PUBLICATION " + quoted + " FOR TABLE " + member_list(settings) + " WITH " + publish_all);
    } else {  // the options first: only by their root can partitions be filtered
      session.query("ALTER PUBLICATION " + quoted + " SET " + publish_all);
      run_one(session, "ALTER PUBLICATION " + quoted + " SET TABLE " + member_list(settings));
    }
    now = published(session, name);
    const std::string note = note_of(settings, now);
    if (!note.empty() || before.note.starts_with("pgtandem: "))
      session.query("COMMENT ON PUBLICATION " + quoted + " IS " + (note.empty() ? "NULL" : pg::quote_literal(note)));
    now.note = note;
    if (const std::string why = misfit(settings, now); !why.empty())
      throw Error(Exit::config, session.node() + ": a publication for these filters " + why + "; correct them");
  });
  std::string list;
  for (const TableName& table : settings.synchronization.sync_tables)
    list += (list.empty() ? "" : ", ") + pg::quote_table(table);
  if (make)
    base::log(base::Level::info, "publication " + name + " created for " + list);
  else
    warn_of_changes(settings, before, now, name);
  return make;
}

void check_publication(pg::Session& session, const config::Settings& settings, const std::string& name) {
  if (const std::string why = misfit(settings, published(session, name)); !why.empty())
    throw Error(Exit::data, session.node() + ": publication " + name + " " + why + "; run `capture init`");
  for (const auto& [table, filter] : settings.filters.tables) check_identity(session, name, table, filter);
}

}  // namespace capture
