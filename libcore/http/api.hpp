// The paths and what they answer. Owns the table of both and the words of the answers; the JSON of the state is the
// report's, who may ask is the guard's. For serve, which makes the server call it.
#pragma once

#include <optional>
#include <string>

#include "config/settings.hpp"
#include "http/board.hpp"
#include "http/guard.hpp"
#include "http/message.hpp"

namespace http {

// GET is read(), POST is act(); HEAD is GET without the body. `refuse` comes first and says 400, 401, 403, 404 or 405.
class Api {
 public:
  // Both must outlive it.
  Api(const config::Settings& settings, Board& board, GuardRules rules)
      : settings_(settings), board_(board), rules_(std::move(rules)) {}

  std::optional<Answer> refuse(const Request& request) const;
  Answer read(const Request& request);  // never waits, never changes anything
  Answer act(const Request& request);   // may take seconds

 private:
  const config::Settings& settings_;
  Board& board_;
  GuardRules rules_;
};

}  // namespace http
