// What a role may not do on a server that it would have to, as the statements that grant it. Owns the list, and the
// words about it; what has to be in it the floors above know. Asks the server, changes nothing there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pg/error.hpp"
#include "pg/session.hpp"

namespace pg {

class Rights {
 public:
  explicit Rights(Session& session);

  const std::string& role() const { return role_; }          // quoted
  const std::string& database() const { return database_; }  // quoted

  // Notes a statement, without its semicolon, unless it is noted already.
  void lack(std::string_view statement);
  void lack(bool missing, std::string_view statement) {
    if (missing) lack(statement);
  }
  // "GRANT `what` TO role".
  void lack_grant(bool missing, std::string_view what);

  // What was noted, each ready to be run.
  const std::vector<std::string>& statements() const { return statements_; }
  // Throws base::MissingRights when something was noted; `again` is the command that asked, as "capture init".
  void refuse(const std::string& again) const;

 private:
  std::string node_;
  std::string role_;
  std::string database_;
  std::vector<std::string> statements_;
};

// Throws a refusal of a running tool on: one for want of a right names the command that prints what grants it.
[[noreturn]] void throw_refusal(const SqlError& refused, const std::string& init);

}  // namespace pg
