// What a server's refusal means. Owns the one reading of SQLSTATEs (PostgreSQL manual, appendix A): what heals by
// itself, what a person must mend, and the exit code of each. Knows no connection.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace pg {

// An error that a statement got from a server and that trying again would not heal.
class SqlError : public base::Error {
 public:
  SqlError(base::Exit kind, const std::string& message, std::string sqlstate, std::string reason, bool inside = false)
      : Error(kind, message), sqlstate_(std::move(sqlstate)), reason_(std::move(reason)), inside_(inside) {}
  // The same under another message.
  SqlError saying(const std::string& message) const { return {kind(), message, sqlstate_, reason_, inside_}; }
  const std::string& sqlstate() const { return sqlstate_; }
  // What the server said, without where and what was tried. It may quote the key of a row, which what() never does:
  // that goes to logs and to whoever asks for the state.
  const std::string& reason() const { return reason_; }
  // It came from within what the statement led to (a trigger, a function of a check or an index; of a COPY also from
  // one of its rows), not from the statement itself. Told by the server's context, whatever its language.
  bool inside() const { return inside_; }

 private:
  std::string sqlstate_;
  std::string reason_;
  bool inside_;
};

// The rows themselves were refused: a constraint (23), a value (22), or a rule of the table (428C9, 0A000, triggers'
// P0001): the same changes written another way, or in their own order, may still pass.
bool is_refusal_of_rows(std::string_view sqlstate);
// Also by any other SQLSTATE, but for a missing right, that a trigger or a function of the table chose to raise, or
// stumbled over: a table of its own that is not there, say. A statement's own table that is not there is none.
bool is_refusal_of_rows(const SqlError& refused);

// A table or column that is not there (any more), or is of another type.
bool is_refusal_of_names(std::string_view sqlstate);

// Throws base::Transient for what heals (connection loss, shutdown, deadlock, serialization, timeouts, a full server),
// SqlError for all else. `where` names the node and what was tried; `text` is the server's primary message, `row` what
// it says of a row, for reason() only. Without SQLSTATE it is a failure of the connection itself.
[[noreturn]] void throw_sql(const std::string& where, const std::string& sqlstate, const std::string& text,
                            const std::string& row = {}, bool inside = false);

// Throws for a connection that could not be made; `text` is libpq's verbose message, in which the SQLSTATE stands.
// `encrypting`: the server was there, and both sides were about to agree on encryption.
[[noreturn]] void throw_connect(const std::string& where, const std::string& text, bool encrypting = false);

}  // namespace pg
