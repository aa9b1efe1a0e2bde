#include "compare/create_tables.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <string_view>
#include <vector>

#include "apply/rights.hpp"
#include "base/child.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "capture/table_fit.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"
#include "pg/rights.hpp"
#include "pg/service_file.hpp"
#include "pg/session.hpp"

namespace compare {
namespace {

using base::Error;
using base::Exit;

pg::SessionOptions plain(const config::Settings& settings) {
  return {.purpose = "pgtandem apply", .answer_timeout = settings.synchronization.sync_timeout};
}

// A file that goes with the object.
class Secret {
 public:
  Secret(const std::filesystem::path& directory, const std::string& content)
      : path_(directory / ("pg_dump." + std::to_string(::getpid()))) {
    base::make_directories(directory);
    ::unlink(path_.c_str());
    const base::Fd fd = base::open_file(path_, O_WRONLY | O_CREAT | O_EXCL, 0600);
    base::write_all(fd.get(), content, path_.string());
  }
  ~Secret() { ::unlink(path_.c_str()); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string dump(const config::Settings& settings, const config::Node& primary,
                 const std::vector<std::string>& tables) {
  const Secret service(settings.state_directory, pg::service_file(primary, "pgtandem"));
  std::vector<std::string> argv = {"env",
                                   "PGSERVICEFILE=" + service.path().string(),
                                   "PGCLIENTENCODING=UTF8",
                                   "pg_dump",
                                   "--schema-only",
                                   "--no-owner",
                                   "--no-privileges",
                                   "--no-publications",
                                   "--no-subscriptions",
                                   "--no-security-labels",
                                   "--no-tablespaces",
                                   "--dbname=service=pgtandem"};
  for (const std::string& table : tables) argv.push_back("--table=" + table);
  std::string out;
  std::string said;
  const base::ChildEnd end =
      base::run_child(argv, "", settings.synchronization.sync_timeout, base::stop_fd(),
                      {[&](std::string_view bytes) { out += bytes; }, [&](std::string_view bytes) { said += bytes; }});
  if (end.how == base::ChildEnd::How::exited && end.code == 0) return out;
  if (end.how == base::ChildEnd::How::exited && end.code == 127)
    throw Error(Exit::config,
                "there is no pg_dump to copy the tables' shape with; install the PostgreSQL client package "
                "(postgresql-client), or make the tables by hand");
  throw Error(Exit::config,
              primary.name + ": pg_dump failed: " + said.substr(0, said.find('\n')) + "; make the tables by hand");
}

// pg_dump heads each object "-- Name: …; Type: …; Schema: …", and what stands before the first is for psql.
struct Object {
  std::string type;
  std::string name;
  std::string sql;
};

// Within a string, or a quoted name, a line may begin as anything.
bool is_within_quotes(std::string_view sql) {
  char quote = 0;
  for (const char c : sql)
    if (quote == 0 ? c == '\'' || c == '"' : c == quote) quote = quote == 0 ? c : 0;
  return quote != 0;
}

std::vector<Object> objects_of(std::string_view dump) {
  constexpr std::string_view head = "-- Name: ";
  std::vector<Object> out;
  while (!dump.empty()) {
    const size_t end = dump.find('\n');
    const std::string_view line = dump.substr(0, end);
    dump.remove_prefix(end == std::string_view::npos ? dump.size() : end + 1);
    const size_t type = line.find("; Type: ");
    const bool sql =
        !(line.starts_with("--") || line.starts_with("\\")) || (!out.empty() && is_within_quotes(out.back().sql));
    if (!sql && line.starts_with(head) && type != std::string_view::npos) {
      const std::string_view rest = line.substr(type + 8);
      out.push_back(
          {std::string(rest.substr(0, rest.find(';'))), std::string(line.substr(head.size(), type - head.size())), ""});
    } else if (!out.empty() && !(line.empty() && out.back().sql.empty()) && sql) {
      out.back().sql.append(line) += '\n';
    }
  }
  return out;
}

// May rest on what is not on the standby, and the rows are right without it.
bool may_be_left_out(const std::string& type) {
  static const std::set<std::string> all = {"FK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "COMMENT"};
  return all.contains(type);
}

// `schemas`: as quoted names. With what `apply init` asks for next: whoever may grant is to be asked once.
void check_rights(pg::Session& standby, const config::Settings& settings, const std::set<std::string>& schemas) {
  pg::Rights rights = apply::missing_rights(standby, settings);
  for (const std::string& schema : schemas) {
    const pg::Result may = standby.query(
        R"(SELECT pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace($1)::pg_catalog.oid, 'CREATE'),
                  pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))",
        {schema});
    if (may.is_null(0, 0))
      rights.lack_grant(may.get(0, 1) != "t", "CREATE ON DATABASE " + rights.database());
    else
      rights.lack_grant(may.get(0, 0) != "t", "CREATE ON SCHEMA " + schema);
  }
  rights.refuse("apply init --create-tables");
}

void make(pg::Session& standby, const Object& object) {
  if (object.sql.empty()) return;
  if (!may_be_left_out(object.type)) {
    standby.query(object.sql);
    return;
  }
  standby.query("SAVEPOINT pgtandem_object");
  try {
    standby.query(object.sql);
  } catch (const pg::SqlError& refused) {
    standby.query("ROLLBACK TO SAVEPOINT pgtandem_object");
    base::log(base::Level::warn,
              standby.node() + ": left out " + object.type + " " + object.name + ": " + refused.reason());
  }
  standby.query("RELEASE SAVEPOINT pgtandem_object");
}

}  // namespace

void create_tables(const config::Settings& settings, const std::string& node) {
  const config::Node& primary_node = settings.primary();
  pg::Session primary(primary_node, plain(settings));
  pg::Session standby(settings.secondary(node), plain(settings));
  std::vector<std::string> missing;  // with their partitions
  std::set<std::string> schemas;
  std::string named;
  for (const base::TableName& table : settings.synchronization.sync_tables) {
    const std::string name = pg::quote_table(table);
    if (standby.query("SELECT pg_catalog.to_regclass($1) IS NULL", {name}).get(0, 0) == "f") continue;
    const pg::Result family = primary.query(
        R"(SELECT pg_catalog.format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')),
                  pg_catalog.quote_ident(n.nspname)
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = pg_catalog.to_regclass($1)
               OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)))
            ORDER BY c.oid)",
        {name});
    if (family.rows() == 0)
      throw Error(Exit::config, primary.node() + ": table " + table.text() + capture::does_not_exist);
    for (int i = 0; i < family.rows(); ++i) {
      missing.emplace_back(family.get(i, 0));
      schemas.emplace(family.get(i, 1));
    }
    named += (named.empty() ? "" : ", ") + table.text();
  }
  if (missing.empty()) return;
  check_rights(standby, settings, schemas);
  const std::vector<Object> objects = objects_of(dump(settings, primary_node, missing));
  standby.query("BEGIN");
  for (const std::string& schema : schemas)
    if (standby.query("SELECT pg_catalog.to_regnamespace($1) IS NULL", {schema}).get(0, 0) == "t")
      standby.query("CREATE SCHEMA " + schema);
  for (const Object& object : objects) make(standby, object);
  standby.query("COMMIT");
  base::log(base::Level::info, standby.node() + ": created " + named + " as on " + primary_node.name);
}

}  // namespace compare
