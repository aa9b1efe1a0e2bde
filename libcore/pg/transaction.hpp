// Several statements as one, and one that may not turn out to be several.
#pragma once

#include <span>
#include <string>

#include "base/error.hpp"
#include "pg/session.hpp"

namespace pg {

// By the protocol that takes one statement only, whatever a condition holds.
inline void run_one(Session& session, const std::string& sql) { session.query(sql, std::span<const Parameter>()); }

// All or nothing; what fails leaves the server as it was.
template <class Work>
void in_transaction(Session& session, const char* end, Work work) {
  session.query("BEGIN");
  try {
    work();
  } catch (const base::Transient&) {
    throw;  // the session is dead
  } catch (const base::Error&) {
    session.query("ROLLBACK");
    throw;
  }
  session.query(end);
}

}  // namespace pg
