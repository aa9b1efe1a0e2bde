// Errors and the exit codes they become. Owns the one table of both; never prints. Everything in libcore throws
// base::Error with a kind; cli catches it once and turns it into a line on stderr and an exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace base {

// The exit codes of every tool, the same table as in each man page. `finding` (1) never means trouble.
enum class Exit : int {
  done = 0,
  finding = 1,
  usage = 64,
  data = 65,
  unreachable = 69,
  bug = 70,
  cannot_create = 73,
  io = 74,
  try_later = 75,
  no_right = 77,
  config = 78,
};

// A failure that one line can explain: what, where, and what to do. The text must hold no secret.
class Error : public std::runtime_error {
 public:
  Error(Exit kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Exit kind() const { return kind_; }

 private:
  Exit kind_;
};

// Thrown for what heals by itself (connection loss, deadlock, server shutdown): roll back, wait, try again.
// When the retries are used up it ends the tool as its kind says (usually `unreachable`).
class Transient : public Error {
 public:
  using Error::Error;
};

// Whoever read our output has gone. cli says nothing about it (the reader may have had enough), the exit code does.
class PipeClosed : public Error {
 public:
  using Error::Error;
};

// Rights that a server's role lacks, with the statements that grant them, each ready to be run there by whoever may.
// Thrown only where standard output holds no data, for that is where cli prints them.
class MissingRights : public Error {
 public:
  MissingRights(const std::string& message, std::vector<std::string> statements)
      : Error(Exit::no_right, message), statements_(std::move(statements)) {}
  const std::vector<std::string>& statements() const { return statements_; }

 private:
  std::vector<std::string> statements_;
};

// An Error for the current errno: disk full is `cannot_create`, a missing right `no_right`, all else `io`;
// a pipe without a reader is PipeClosed.
[[noreturn]] void throw_errno(const std::string& what);

}  // namespace base
