#include "capture/publication.hpp"

#include <map>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "capture/filter_identity.hpp"
#include "capture/filter_trial.hpp"
#include "capture/made_again.hpp"
#include "capture/publication_sql.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"
#include "pg/rights.hpp"
#include "pg/transaction.hpp"
#include "state/marks.hpp"

namespace capture {
namespace {

using base::Error;
using base::Exit;
using base::TableName;
using config::TableFilter;

// What a publication lets through.
struct Member {
  Oids oids;
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
          R"(, pg_catalog.obj_description(p.oid, 'pg_publication'), c.oid,
                coalesce(r.oid, p.oid), p.xmin
           FROM pg_catalog.pg_publication_tables t
           JOIN pg_catalog.pg_publication p ON p.pubname = t.pubname
           JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
           JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
           LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
          WHERE t.pubname = $1)",
      {name});
  Published out;
  for (int i = 0; i < rows.rows(); ++i) {
    Member& member = out.tables[{std::string(rows.get(i, 0)), std::string(rows.get(i, 1))}];
    member.where = rows.get(i, 3);
    member.oids = {std::string(rows.get(i, 5)), std::string(rows.get(i, 6)), std::string(rows.get(i, 7))};
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

Publish to_do(bool make, const Published& before) {
  if (make) return Publish::make;
  return before.every_kind && !before.tables.empty() ? Publish::tables : Publish::options_and_tables;
}

// What the settings want of a table.
struct Asked {
  bool where = false;
  std::set<std::string> columns;
};
Asked asked_of(const config::Settings& settings, const TableName& table) {
  const auto found = settings.filters.tables.find(table);
  if (found == settings.filters.tables.end()) return {};
  return {!found->second.where.empty(), {found->second.columns.begin(), found->second.columns.end()}};
}

// What was asked and what the server made of it, side by side in the publication's comment: the server keeps only its
// own spelling of a condition, which cannot be compared to the user's.
std::string note_of(const config::Settings& settings, const Published& now) {
  std::string note;
  for (const auto& [table, filter] : settings.filters.tables) {
    if (filter.where.empty()) continue;
    const auto member = now.tables.find(table);
    note += (note.empty() ? note_begin : note_between) + asked_note(table, filter) +
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
      return out_of_list + ": it lacks " + table.text() +
             " (was that dropped and made again, or is it a partition of another one of them?)";
    const Asked asked = asked_of(settings, table);
    if (asked.where == member->second.where.empty() || asked.columns != member->second.columns)
      return "filters " + table.text() + " otherwise than the configuration";
  }
  return is_noted(settings, now) ? "" : "has other conditions (where) than the configuration's filters";
}

void check_identities(pg::Session& session, const config::Settings& settings, const std::string& name) {
  for (const auto& [table, filter] : settings.filters.tables)
    check_identity(session, table, filter, published_condition(session, name, table));
}

// Of the publication itself its owner's, and of each table that is put into it.
bool may_publish(pg::Session& session, const config::Settings& settings, const std::string& name) {
  const pg::Result may = session.query(
      R"(SELECT coalesce((SELECT pg_catalog.pg_has_role(pubowner, 'USAGE')
                            FROM pg_catalog.pg_publication WHERE pubname = $1),
                         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')))",
      {name});
  if (may.get(0, 0) != "t") return false;
  for (const TableName& table : settings.synchronization.sync_tables)
    if (session
            .query(R"(SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = $1 AND c.relname = $2 AND pg_catalog.pg_has_role(c.relowner, 'USAGE'))",
                   {table.schema, table.name})
            .rows() == 0)
      return false;
  return true;
}

// `changed` tells of a table that was in it whether it is filtered otherwise from now on.
template <class Changed>
void warn_of_changes(const config::Settings& settings, const Published& before, const Changed& changed) {
  for (const TableName& table : settings.synchronization.sync_tables) {
    const auto old = before.tables.find(table);
    std::string what;
    if (old == before.tables.end())
      what = "joins the publication: rows that it had before now are not in the stream; copy them to the standby";
    else if (changed(table, old->second))
      what =
          "has another filter from now on: rows that it had before are on the standby as the old one left them; "
          "compare and mend, or copy them";
    else if (!before.every_kind)
      what = "was published without all of its changes until now; compare and mend";
    if (what.empty()) continue;
    base::log(base::Level::warn, "table " + table.text() + " " + what);
    for (const std::string& node : settings.secondaries())
      state::mark_table(settings.state_directory, node, table.text(), what, "");
  }
}

}  // namespace

bool publication_exists(pg::Session& session, const std::string& name) {
  return session.query("SELECT FROM pg_catalog.pg_publication WHERE pubname = $1", {name}).rows() > 0;
}

bool make_publication(pg::Session& session, const config::Settings& settings, const std::string& name) {
  const bool make = !publication_exists(session, name);
  const Published before = make ? Published{} : published(session, name);
  if (!make && misfit(settings, before).empty()) {
    check_identities(session, settings, name);
    return false;
  }
  for (const auto& [table, filter] : settings.filters.tables) try_filter(session, settings, name, table, filter);
  const std::string quoted = pg::quote_identifier(name);
  Published now;
  pg::in_transaction(session, "COMMIT", [&] {
    for (const std::string& sql : publication_sql(settings, name, to_do(make, before))) pg::run_one(session, sql);
    now = published(session, name);
    const std::string note = note_of(settings, now);
    if (!note.empty() || before.note.starts_with(note_begin))
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
    warn_of_changes(settings, before, [&](const TableName& table, const Member& old) {
      const Member& member = now.tables.at(table);
      note_own_change(settings, name, table, old.oids, member.oids);
      return old.where != member.where || old.columns != member.columns;
    });
  return make;
}

std::vector<std::string> publication_by_others(pg::Session& session, const config::Settings& settings,
                                               const std::string& name, bool warn) {
  const bool make = !publication_exists(session, name);
  const Published before = make ? Published{} : published(session, name);
  if ((!make && misfit(settings, before).empty()) || may_publish(session, settings, name)) return {};
  for (const auto& [table, filter] : settings.filters.tables) {
    if (!filter.where.empty() && session.query("SELECT pg_catalog.has_database_privilege("
                                               "pg_catalog.current_database(), 'TEMPORARY')")
                                         .get(0, 0) != "t") {
      const pg::Rights rights(session);
      return {"GRANT TEMPORARY ON DATABASE " + rights.database() + " TO " + rights.role()};
    }
    try_filter_by_view(session, table, filter);
  }
  if (warn && !make)
    warn_of_changes(settings, before, [&](const TableName& table, const Member& old) {
      const Asked asked = asked_of(settings, table);
      return asked.where == old.where.empty() || asked.columns != old.columns ||
             (asked.where && !is_noted(settings, before));
    });
  return publication_script(settings, name, to_do(make, before));
}

void check_publication(pg::Session& session, const config::Settings& settings, const std::string& name) {
  const Published now = published(session, name);
  if (const std::string why = misfit(settings, now); !why.empty())
    throw Error(Exit::data, session.node() + ": publication " + name + " " + why + "; run `capture init`");
  check_identities(session, settings, name);
  std::map<TableName, Oids> oids;
  for (const auto& [table, member] : now.tables) oids[table] = member.oids;
  note_oids(settings, name, oids);
}

}  // namespace capture
