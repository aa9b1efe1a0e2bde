#include "pg/session.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/stop.hpp"
#include "pg/error.hpp"

namespace pg {
namespace {

std::string first_line(const std::string& sql) {
  constexpr size_t shown = 60;  // enough to know the statement again, too little to carry a row
  const std::string line = sql.substr(0, sql.find('\n'));
  return line.size() <= shown ? line : line.substr(0, shown) + "...";
}

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
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

Session::Session(const config::Node& node, const SessionOptions& options)
    : node_(node.name), answer_timeout_(options.answer_timeout), conn_(connect(node, options)) {
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
// it does not know. The others may have been lost on the way, of which nobody tells: then nothing is pinned.
void Session::pin_timeouts() {
  const std::string idle =
      server_version() < 140000 ? "" : ", pg_catalog.set_config('idle_session_timeout', '0', false)";
  if (query("SELECT pg_catalog.current_setting('search_path')" + idle).get(0, 0).empty()) return;
  throw base::Error(base::Exit::config,
                    node_ +
                        ": the settings that the connection asks for did not reach the server, as behind a pooler that "
                        "ignores them (ignore_startup_parameters); let database_url lead to the server itself");
}

Session::~Session() = default;

std::string Session::where(const std::string& doing) const { return cannot(node_, doing); }

int Session::server_version() const { return PQserverVersion(conn_.get()); }

bool Session::wait(bool write, double seconds) { return wait_for(*conn_, node_, write, seconds); }

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
    const int ready = ::poll(fds, 2, left < 0 ? -1 : static_cast<int>(left * 1000) + 1);
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
