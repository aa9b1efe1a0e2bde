#include "pg/session.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
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
    " -c idle_in_transaction_session_timeout=0 -c synchronous_commit=on";

int milliseconds(double seconds) { return static_cast<int>(seconds * 1000); }

std::string first_line(const std::string& sql) {
  constexpr size_t shown = 60;  // enough to know the statement again, too little to carry a row
  const std::string line = sql.substr(0, sql.find('\n'));
  return line.size() <= shown ? line : line.substr(0, shown) + "...";
}

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

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

}  // namespace

Result::Result(pg_result* result) : result_(result) {}
void Result::Clear::operator()(pg_result* result) const { PQclear(result); }
int Result::rows() const { return PQntuples(result_.get()); }
bool Result::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
std::string_view Result::get(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}
uint32_t Result::type(int column) const { return PQftype(result_.get(), column); }
uint64_t Result::affected() const {
  const char* text = PQcmdTuples(result_.get());
  uint64_t count = 0;
  std::from_chars(text, text + std::strlen(text), count);
  return count;
}
std::string_view Result::tag() const { return PQcmdStatus(result_.get()); }

void Session::Finish::operator()(pg_conn* conn) const { PQfinish(conn); }

Session::Session(const config::Node& node, const SessionOptions& options)
    : node_(node.name), answer_timeout_(options.answer_timeout) {
  char* parse_error = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(node.database_url.c_str(), &parse_error));
  PQfreemem(parse_error);  // it repeats the whole URL, with the password; so it is never shown
  if (!parsed)
    throw base::Error(base::Exit::config, node_ + ": database_url is not a connection string; write " +
                                              "postgresql://user@host:5432/database");
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  std::string startup = pinned;
  const auto set = [&](const char* keyword, const char* value) {
    keywords.push_back(keyword);
    values.push_back(value);
  };
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::strcmp(option->keyword, "options") == 0)
      startup = std::string(option->val) + " " + pinned;  // of two settings of one name the later wins
    else
      set(option->keyword, option->val);
  }
  if (!options.replication)  // a walsender streams for hours; its own deadline is the stream's
    startup += " -c statement_timeout=" + std::to_string(milliseconds(answer_timeout_)) +
               " -c lock_timeout=" + std::to_string(milliseconds(answer_timeout_));
  const std::string connect_timeout = std::to_string(std::max(2, static_cast<int>(node.connection_timeout)));
  const std::string user_timeout = std::to_string(std::max(1000, milliseconds(answer_timeout_)));
  set("application_name", options.purpose.c_str());
  set("client_encoding", "UTF8");
  set("connect_timeout", connect_timeout.c_str());
  set("options", startup.c_str());
  set("keepalives", "1");
  set("keepalives_idle", "10");  // a dead peer is noticed within half a minute; libpq's default is hours
  set("keepalives_interval", "5");
  set("keepalives_count", "3");
  set("tcp_user_timeout", user_timeout.c_str());
  if (options.replication) set("replication", "database");
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  conn_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!conn_) throw std::bad_alloc();
  // What libpq finds wrong with the parameters themselves will be wrong at every try.
  if (PQstatus(conn_.get()) == CONNECTION_BAD && PQpingParams(keywords.data(), values.data(), 0) == PQPING_NO_ATTEMPT)
    throw base::Error(base::Exit::config,
                      node_ + ": database_url: " + without_value(PQerrorMessage(conn_.get())) + "; correct it");
  PQsetErrorVerbosity(conn_.get(), PQERRORS_VERBOSE);  // set before the first answer: it brings the SQLSTATE
  PQsetNoticeProcessor(
      conn_.get(), [](void*, const char* text) { base::log(base::Level::debug, std::string("server: ") + text); },
      nullptr);
  const double deadline = base::monotonic_seconds() + node.connection_timeout;
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    const double left = deadline - base::monotonic_seconds();
    if (PQsocket(conn_.get()) >= 0 && (left <= 0 || !wait(state == PGRES_POLLING_WRITING, left)))
      throw base::Transient(base::Exit::unreachable,
                            where("connect") + ": no answer within connection_timeout; is the server up?");
    state = PQconnectPoll(conn_.get());
  }
  if (state == PGRES_POLLING_FAILED) refuse_connection(options.replication);
  PQsetErrorVerbosity(conn_.get(), PQERRORS_DEFAULT);
  PQsetnonblocking(conn_.get(), 1);
  pin_timeouts();

  if (!options.writes_as_replica) return;
  // Allowed to superusers and, from 15 on, to roles that were granted SET on the parameter; without it triggers fire
  // and foreign keys are checked, and apply is as right but slower.
  try {
    query("SET session_replication_role = replica");
    replica_role_ = true;
  } catch (const SqlError& refused) {
    if (refused.sqlstate() != "42501") throw;
  }
}

// A session waits between two batches for as long as nobody writes. An older server would refuse a start-up option that
// it does not know.
void Session::pin_timeouts() {
  if (server_version() >= 140000) query("SET idle_session_timeout = 0");
}

// Before there is a session nothing can be asked: what is missing is told by what was tried.
void Session::refuse_connection(bool replication) const {
  try {
    throw_connect(where("connect"), PQerrorMessage(conn_.get()));
  } catch (const SqlError& refused) {
    if (refused.sqlstate() != "42501") throw;
    const std::string user = quote_identifier(PQuser(conn_.get()));
    throw SqlError(
        refused.kind(),
        std::string(refused.what()) +
            (replication ? "; ALTER ROLE " + user + " REPLICATION"
                         : "; GRANT CONNECT ON DATABASE " + quote_identifier(PQdb(conn_.get())) + " TO " + user),
        refused.sqlstate(), refused.reason());
  }
}

Session::~Session() = default;

std::string Session::where(const std::string& doing) const { return node_ + ": cannot " + doing; }

int Session::server_version() const { return PQserverVersion(conn_.get()); }

bool Session::wait(bool write, double seconds) {
  pollfd fd{PQsocket(conn_.get()), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
  const int ready = ::poll(&fd, 1, milliseconds(seconds));
  if (ready < 0 && errno != EINTR) base::throw_errno(where("wait"));
  return ready != 0;
}

void Session::send_all() {
  const double deadline = base::monotonic_seconds() + answer_timeout_;
  for (;;) {
    const int left = PQflush(conn_.get());
    if (left == 0) return;
    if (left < 0) throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
    const double seconds = answer_timeout_ > 0 ? deadline - base::monotonic_seconds() : 3600;
    if (seconds <= 0 || !wait(true, seconds)) throw_sql(where("send"), "", "no progress within sync_timeout");
    if (PQconsumeInput(conn_.get()) == 0) throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
  }
}

// The next answer; one that holds no handle when there is none.
Result Session::next_result(const char* doing, const std::string& sql) {
  // The server's own statement_timeout comes first; the second half is for the network's way and a stalled server.
  const double deadline = base::monotonic_seconds() + answer_timeout_ * 2;
  while (PQisBusy(conn_.get())) {
    const double seconds = answer_timeout_ > 0 ? deadline - base::monotonic_seconds() : 3600;
    if (seconds <= 0) throw_sql(where(doing), "", "no answer within sync_timeout to " + first_line(sql));
    if (wait(false, seconds) && PQconsumeInput(conn_.get()) == 0)
      throw_sql(where(doing), "", PQerrorMessage(conn_.get()));
  }
  return Result(PQgetResult(conn_.get()));
}

Result Session::expect(Result result, const std::string& sql) {
  const ExecStatusType status = PQresultStatus(result.handle());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
      status == PGRES_COPY_BOTH)
    return result;
  const char* state = PQresultErrorField(result.handle(), PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(result.handle(), PG_DIAG_MESSAGE_PRIMARY);
  const char* detail = PQresultErrorField(result.handle(), PG_DIAG_MESSAGE_DETAIL);
  std::string message = text != nullptr ? text : PQerrorMessage(conn_.get());
  // The detail of a refused row quotes its key, which helps; that of a check or not-null quotes the whole row. That of
  // a feature that is not there tells which one, that of a limit how much was too much.
  const auto is = [&](const char* code) {
    return detail != nullptr && state != nullptr && std::strcmp(state, code) == 0;
  };
  if (is("0A000") || is("54000")) message += std::string(": ") + detail;
  const std::string row = is("23505") ? detail : "";
  const bool inside = PQresultErrorField(result.handle(), PG_DIAG_CONTEXT) != nullptr;
  while (next_result("run", sql)) {
  }
  throw_sql(where("run " + first_line(sql)), state != nullptr ? state : "", message, row, inside);
}

Result Session::query(const std::string& sql) {
  if (PQsendQuery(conn_.get(), sql.c_str()) == 0) throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
  return last_result(sql);
}

void Session::send(const std::string& sql, std::span<const Parameter> parameters) {
  std::vector<std::string> texts;  // libpq wants each ended by a NUL
  std::vector<const char*> values;
  texts.reserve(parameters.size());
  for (const Parameter& parameter : parameters) {
    texts.emplace_back(parameter.value_or(""));
    values.push_back(parameter ? texts.back().c_str() : nullptr);
  }
  if (PQsendQueryParams(conn_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) == 0)
    throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
}

Result Session::query(const std::string& sql, std::span<const Parameter> parameters) {
  send(sql, parameters);
  return last_result(sql);
}

Result Session::query_until_stopped(const std::string& sql, std::span<const Parameter> parameters,
                                    const std::function<bool()>& enough) {
  query("SET statement_timeout = 0");
  send(sql, parameters);
  return finish_or_cancel(sql, -1, enough);
}

void Session::lift_transaction_timeout() {
  if (server_version() >= 170000) query("SET transaction_timeout = 0");
}

Result Session::query_within(const std::string& sql, double seconds) {
  if (PQsendQuery(conn_.get(), sql.c_str()) == 0) throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
  return finish_or_cancel(sql, seconds, {});
}

// What was sent, or nothing: cancelled after `seconds` (below zero: never), at a request to stop, or when `enough`.
Result Session::finish_or_cancel(const std::string& sql, double seconds, const std::function<bool()>& enough) {
  constexpr double ask_every = 0.2;  // s
  send_all();
  const double deadline = base::monotonic_seconds() + seconds;
  bool cancelled = false;
  while (!cancelled && PQisBusy(conn_.get())) {
    pollfd fds[2] = {{PQsocket(conn_.get()), POLLIN, 0}, {base::stop_fd(), POLLIN, 0}};
    double left = seconds < 0 ? -1 : std::max(0.0, deadline - base::monotonic_seconds());
    if (enough && (left < 0 || left > ask_every)) left = ask_every;
    const int ready = ::poll(fds, 2, left < 0 ? -1 : milliseconds(left) + 1);
    const bool late = seconds >= 0 && ready == 0 && base::monotonic_seconds() >= deadline;
    if (base::stop_requested() || late || (enough && enough())) {
      char ignored[256];
      const std::unique_ptr<PGcancel, FreeCancel> cancel(PQgetCancel(conn_.get()));
      PQcancel(cancel.get(), ignored, sizeof ignored);
      cancelled = true;
    } else if (fds[0].revents != 0 && PQconsumeInput(conn_.get()) == 0) {
      throw_sql(where("run"), "", PQerrorMessage(conn_.get()));
    }
  }
  try {
    return last_result(sql);  // it may have succeeded a moment before it was cancelled
  } catch (const base::Error&) {
    if (!cancelled) throw;
    return Result(nullptr);
  }
}

Result Session::last_result(const std::string& sql) {
  send_all();
  Result last(nullptr);
  while (Result result = next_result("run", sql)) {
    last = expect(std::move(result), sql);
    const ExecStatusType status = PQresultStatus(last.handle());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
  }
  return last;
}

void Session::prepare(const std::string& name, const std::string& sql) {
  if (PQsendPrepare(conn_.get(), name.c_str(), sql.c_str(), 0, nullptr) == 0)
    throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
  last_result(sql);
}

void Session::copy_begin(const std::string& sql) {
  query(sql);
  copying_ = sql;
}

void Session::copy_send(std::string_view bytes) {
  constexpr size_t piece = 1 << 20;  // libpq copies what it is given: a piece at a time bounds that copy
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    if (PQputCopyData(conn_.get(), part.data(), static_cast<int>(part.size())) < 0)
      throw_sql(where("copy"), "", PQerrorMessage(conn_.get()));
    send_all();
    bytes.remove_prefix(part.size());
  }
}

uint64_t Session::copy_end() {
  if (PQputCopyEnd(conn_.get(), nullptr) < 0) throw_sql(where("copy"), "", PQerrorMessage(conn_.get()));
  return last_result(copying_).affected();
}

void Session::pipe_begin() {
  if (PQenterPipelineMode(conn_.get()) == 0) throw_sql(where("pipeline"), "", PQerrorMessage(conn_.get()));
  piped_ = 0;
}

void Session::pipe(const std::string& prepared, std::span<const Parameter> parameters) {
  std::vector<const char*> values;
  std::vector<std::string> texts;
  texts.reserve(parameters.size());
  for (const Parameter& parameter : parameters) {
    texts.emplace_back(parameter.value_or(""));
    values.push_back(parameter ? texts.back().c_str() : nullptr);
  }
  if (PQsendQueryPrepared(conn_.get(), prepared.c_str(), static_cast<int>(values.size()), values.data(), nullptr,
                          nullptr, 0) == 0)
    throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
  ++piped_;
}

std::vector<Touched> Session::pipe_end(size_t& failed_at) {
  if (PQpipelineSync(conn_.get()) == 0) throw_sql(where("send"), "", PQerrorMessage(conn_.get()));
  send_all();
  std::vector<Touched> touched;
  Result failure(nullptr);
  for (size_t i = 0; i < piped_; ++i) {
    Result result = next_result("run", "a piped statement");
    if (PQresultStatus(result.handle()) == PGRES_FATAL_ERROR) {
      failed_at = i;
      failure = std::move(result);
    } else if (PQresultStatus(result.handle()) != PGRES_PIPELINE_ABORTED) {
      touched.push_back({result.affected(), {}});
      if (result.rows() == 1) touched.back().returned = result.get(0, 0) == "t";
    }
    next_result("run", "a piped statement");  // the NULL that ends each statement's answers
  }
  next_result("run", "the end of the pipeline");
  PQexitPipelineMode(conn_.get());
  if (failure) expect(std::move(failure), "a change");
  return touched;
}

}  // namespace pg
