// A session on one server (connect.hpp makes the connection): statements, COPY in, pipelines, and their deadlines. Owns
// the libpq handle: this and replication.hpp are all that the house sees of libpq. Not thread-safe: one
// thread at a time. Every failure is an exception as error.hpp tells; a session that threw base::Transient is dead.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "pg/connect.hpp"

struct pg_result;

namespace pg {

// The answer to one statement.
class Result {
 public:
  explicit Result(pg_result* result);
  int rows() const;
  bool is_null(int row, int column) const;
  std::string_view get(int row, int column) const;  // empty for NULL
  uint32_t type(int column) const;                  // its OID
  uint64_t affected() const;                        // rows that an INSERT, UPDATE, DELETE or COPY touched
  std::string_view tag() const;                     // the command tag, as "COMMIT"
  explicit operator bool() const { return result_ != nullptr; }
  pg_result* handle() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// A parameter of a statement in text form; NULL where it has no value.
using Parameter = std::optional<std::string_view>;

// What a piped statement did.
struct Touched {
  uint64_t rows = 0;
  std::optional<bool> returned;  // by a statement RETURNING one boolean for its one row
};

class Session {
 public:
  Session(const config::Node& node, const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // One or several statements without parameters; the last one's answer.
  Result query(const std::string& sql);
  Result query(const std::string& sql, std::span<const Parameter> parameters);
  Result query(const std::string& sql, std::initializer_list<Parameter> parameters) {
    return query(sql, std::span(parameters.begin(), parameters.size()));
  }
  // As query(), for what may wait for hours on the server: without a deadline, and a request to stop cancels it there,
  // or `enough`, which is asked five times a second; the result is then empty.
  Result query_until_stopped(const std::string& sql, std::span<const Parameter> parameters,
                             const std::function<bool()>& enough = {});
  Result query_until_stopped(const std::string& sql, std::initializer_list<Parameter> parameters,
                             const std::function<bool()>& enough = {}) {
    return query_until_stopped(sql, std::span(parameters.begin(), parameters.size()), enough);
  }
  // For transactions that last as long as a table is large: no transaction_timeout (17 and later) of the role or the
  // database ends them.
  void lift_transaction_timeout();
  // As query(), for what must not take longer than `seconds`, on a walsender too, which knows no statement_timeout:
  // then, and at a request to stop, it is cancelled on the server, and the result is empty.
  Result query_within(const std::string& sql, double seconds);
  void prepare(const std::string& name, const std::string& sql);

  // COPY … FROM STDIN in three steps; copy_end() throws what the server refuses, and returns the rows that it took. In
  // between no other statement.
  void copy_begin(const std::string& sql);
  void copy_send(std::string_view bytes);
  uint64_t copy_end();

  // Pipelined prepared statements: pipe() sends without waiting, pipe_end() waits for all answers. The first failure is
  // thrown after `failed_at` was set to its index; what came after it was not run, and the transaction is to be rolled
  // back. Not more in one pipeline than the answers' buffers hold (a few hundred), else both sides may wait to send.
  void pipe_begin();
  void pipe(const std::string& prepared, std::span<const Parameter> parameters);
  std::vector<Touched> pipe_end(size_t& failed_at);

  int server_version() const;                          // 150020
  bool replica_role() const { return replica_role_; }  // triggers and foreign keys of the session are asleep
  const std::string& node() const { return node_; }
  std::string where(const std::string& doing) const;  // "NODE: cannot DOING", for error messages

  // For replication.cpp, transport.cpp and the files of COPY out only.
  pg_conn* handle() const { return conn_.get(); }
  // Waits until the socket can be read (or written too); false when `seconds` have passed.
  bool wait(bool write, double seconds);
  void send_all();
  Result last_result(const std::string& sql);

 private:
  void pin_timeouts();
  void send(const std::string& sql, std::span<const Parameter> parameters);
  Result finish_or_cancel(const std::string& sql, double seconds, const std::function<bool()>& enough);
  Result next_result(const char* doing, const std::string& sql);
  Result expect(Result result, const std::string& sql);
  std::string node_;
  double answer_timeout_;
  bool replica_role_ = false;
  size_t piped_ = 0;
  std::string copying_;  // the statement
  Connection conn_;
};

}  // namespace pg
