#include "pg/connect.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "pg/error.hpp"
#include "pg/quote.hpp"

namespace pg {
namespace {

// What the text forms of values and the meaning of names depend on (the manual's client settings); sent as start-up
// options, so that no role's or database's settings win over them. lc_monetary pins money's text.
constexpr const char* pinned =
    "-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 -c bytea_output=hex"
    " -c array_nulls=on -c xmloption=content -c search_path= -c lc_monetary=C -c row_security=off -c "
    "default_transaction_read_only=off"
    " -c standard_conforming_strings=on -c default_transaction_isolation=read\\ committed"
    " -c idle_in_transaction_session_timeout=0 -c synchronous_commit=on -c quote_all_identifiers=off";

int milliseconds(double seconds) { return static_cast<int>(seconds * 1000); }

// libpq's complaint about a parameter, as `invalid sslmode value: "…"`, without the value that it quotes first:
// whatever ended up in a wrong place of a database_url may be a password.
std::string without_value(std::string_view text) {
  std::string out(text.substr(0, text.find('\n')));
  const size_t begin = out.find('"');
  const size_t end = begin == std::string::npos ? begin : out.find('"', begin + 1);
  if (end != std::string::npos) out.erase(begin, end + 1 - begin);
  while (!out.empty() && (out.back() == ' ' || out.back() == ':')) out.pop_back();
  return out;
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// Those of database_url, and over them what is asked of every connection.
class Parameters {
 public:
  Parameters(const config::Node& node, const SessionOptions& options) {
    std::string startup = take_url(node) + pinned;  // of two settings of one name the later wins
    if (!options.replication)                       // a walsender streams for hours; its own deadline is the stream's
      startup += " -c statement_timeout=" + std::to_string(milliseconds(options.answer_timeout)) +
                 " -c lock_timeout=" + std::to_string(milliseconds(options.answer_timeout));
    set("application_name", options.purpose);
    set("client_encoding", "UTF8");
    set("connect_timeout", std::to_string(std::max(2, static_cast<int>(node.connection_timeout))));
    set("options", startup);
    set("keepalives", "1");
    set("keepalives_idle", "10");  // a dead peer is noticed within half a minute; libpq's default is hours
    set("keepalives_interval", "5");
    set("keepalives_count", "3");
    set("tcp_user_timeout", std::to_string(std::max(1000, milliseconds(options.answer_timeout))));
    if (options.replication) set("replication", "database");
    for (const auto& [keyword, value] : all_) {
      keywords_.push_back(keyword.c_str());
      values_.push_back(value.c_str());
    }
    keywords_.push_back(nullptr);
    values_.push_back(nullptr);
  }
  const char* const* keywords() const { return keywords_.data(); }
  const char* const* values() const { return values_.data(); }

 private:
  void set(const std::string& keyword, const std::string& value) { all_.emplace_back(keyword, value); }

  // Returns its start-up options.
  std::string take_url(const config::Node& node) {
    char* parse_error = nullptr;
    const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(
        PQconninfoParse(node.database_url.c_str(), &parse_error));
    PQfreemem(parse_error);  // it repeats the whole URL, with the password; so it is never shown
    if (!parsed)
      throw base::Error(base::Exit::config, node.name + ": database_url is not a connection string; write " +
                                                "postgresql://user@host:5432/database");
    std::string startup;
    for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
      if (option->val == nullptr) continue;
      if (std::strcmp(option->keyword, "options") == 0)
        startup = std::string(option->val) + " ";
      else
        set(option->keyword, option->val);
    }
    return startup;
  }

  std::vector<std::pair<std::string, std::string>> all_;
  std::vector<const char*> keywords_;
  std::vector<const char*> values_;
};

// Where libpq looks for passwords; it has no function that tells.
std::string password_file(pg_conn& conn) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfo(&conn));
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (std::strcmp(option->keyword, "passfile") == 0 && option->val != nullptr) return option->val;
  return "~/.pgpass";
}

// A line of such a file, as far as it may be shown. A socket's directory may be called otherwise there.
std::string password_line(const pg_conn& conn) {
  const char* const host = *PQhost(&conn) == '/' ? "*" : PQhost(&conn);
  std::string line;
  for (const std::string_view part :
       std::initializer_list<std::string_view>{host, PQport(&conn), PQdb(&conn), PQuser(&conn)}) {
    for (const char c : part) line += (c == ':' || c == '\\' ? "\\" : "") + std::string(1, c);
    line += ':';
  }
  return line + "PASSWORD";
}

// The server has asked for a password, and libpq gives up by itself, without a SQLSTATE. That is no server that is
// away: as a wrong one it does not heal by waiting. Most often it is another user's file that has it.
[[noreturn]] void refuse_without_password(pg_conn& conn, const std::string& node) {
  const std::string file = password_file(conn);
  struct stat known {};
  const bool there = ::stat(file.c_str(), &known) == 0;
  const bool open = there && (known.st_mode & (S_IRWXG | S_IRWXO)) != 0;  // libpq ignores such a one
  const std::string user = PQuser(&conn);
  throw SqlError(base::Exit::no_right,
                 cannot(node, "connect") + ": the server wants a password for " + user +
                     ", and there is none: not in database_url, and " +
                     (!there ? "there is no " + file
                      : open ? file + " is not looked at, for others may open it"
                             : file + " has no line that fits") +
                     "; " + (open ? "chmod 600 " + file : "add " + password_line(conn) + " to that file (mode 600)") +
                     ", or run this as the user whose file has it",
                 "28P01", "no password");
}

// Before there is a session nothing can be asked: what is missing is told by what was tried. `encrypting`: it failed
// while both sides were at that.
[[noreturn]] void refuse(pg_conn& conn, const std::string& node, bool replication, bool encrypting) {
  if (PQconnectionNeedsPassword(&conn) != 0) refuse_without_password(conn, node);
  try {
    throw_connect(cannot(node, "connect"), PQerrorMessage(&conn), encrypting);
  } catch (const SqlError& refused) {
    if (refused.sqlstate() != "42501") throw;
    const std::string user = quote_identifier(PQuser(&conn));
    throw SqlError(refused.kind(),
                   std::string(refused.what()) +
                       (replication ? "; ALTER ROLE " + user + " REPLICATION"
                                    : "; GRANT CONNECT ON DATABASE " + quote_identifier(PQdb(&conn)) + " TO " + user),
                   refused.sqlstate(), refused.reason());
  }
}

}  // namespace

void Finish::operator()(pg_conn* conn) const { PQfinish(conn); }

std::string cannot(const std::string& node, const std::string& doing) { return node + ": cannot " + doing; }

bool wait_for(const pg_conn& conn, const std::string& node, bool write, double seconds) {
  pollfd fd{PQsocket(&conn), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
  const int ready = ::poll(&fd, 1, milliseconds(seconds));
  if (ready < 0 && errno != EINTR) base::throw_errno(cannot(node, "wait"));
  return ready != 0;
}

Connection connect(const config::Node& node, const SessionOptions& options) {
  const Parameters parameters(node, options);
  Connection conn(PQconnectStartParams(parameters.keywords(), parameters.values(), 0));
  if (!conn) throw std::bad_alloc();
  // What libpq finds wrong with the parameters themselves will be wrong at every try.
  if (PQstatus(conn.get()) == CONNECTION_BAD &&
      PQpingParams(parameters.keywords(), parameters.values(), 0) == PQPING_NO_ATTEMPT)
    throw base::Error(base::Exit::config,
                      node.name + ": database_url: " + without_value(PQerrorMessage(conn.get())) + "; correct it");
  PQsetErrorVerbosity(conn.get(), PQERRORS_VERBOSE);  // set before the first answer: it brings the SQLSTATE
  PQsetNoticeProcessor(
      conn.get(), [](void*, const char* text) { base::log(base::Level::debug, std::string("server: ") + text); },
      nullptr);
  const double deadline = base::monotonic_seconds() + node.connection_timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  bool encrypting = false;
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    const double left = deadline - base::monotonic_seconds();
    if (PQsocket(conn.get()) >= 0 && (left <= 0 || !wait_for(*conn, node.name, state == PGRES_POLLING_WRITING, left)))
      throw base::Transient(base::Exit::unreachable,
                            cannot(node.name, "connect") + ": no answer within connection_timeout; is the server up?");
    encrypting = PQstatus(conn.get()) == CONNECTION_SSL_STARTUP;
    state = PQconnectPoll(conn.get());
  }
  if (state == PGRES_POLLING_FAILED) refuse(*conn, node.name, options.replication, encrypting);
  PQsetErrorVerbosity(conn.get(), PQERRORS_DEFAULT);
  PQsetnonblocking(conn.get(), 1);
  return conn;
}

}  // namespace pg
