#include "pg/rights.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "pg/quote.hpp"

namespace pg {

using base::Exit;

Rights::Rights(Session& session) : node_(session.node()) {
  const Result names = session.query("SELECT current_user, pg_catalog.current_database()");
  role_ = quote_identifier(names.get(0, 0));
  database_ = quote_identifier(names.get(0, 1));
}

void Rights::lack(std::string_view statement) {
  const std::string whole = std::string(statement) + ";";
  if (std::find(statements_.begin(), statements_.end(), whole) == statements_.end()) statements_.push_back(whole);
}

void Rights::lack_grant(bool missing, std::string_view what) {
  lack(missing, "GRANT " + std::string(what) + " TO " + role_);
}

void Rights::refuse(const std::string& again) const {
  if (statements_.empty()) return;
  throw base::MissingRights(
      node_ + ": the role " + role_ + " lacks rights in database " + database_ +
          "; let a superuser, or who owns the tables, run there what stands on standard output, then `" + again +
          "` again",
      statements_);
}

void throw_refusal(const SqlError& refused, const std::string& init) {
  const std::string_view text = refused.what();
  const auto tells = [text](std::string_view words) { return text.find(words) != std::string_view::npos; };
  if (refused.sqlstate() != "42501" || tells("; GRANT ") || tells("; ALTER ROLE ")) throw refused;
  throw SqlError(refused.kind(), std::string(refused.what()) + "; run `" + init + "`, which prints the grants it lacks",
                 refused.sqlstate(), refused.reason());
}

}  // namespace pg
