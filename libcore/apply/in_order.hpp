// Operations written each by a statement of its own, in the order in which the primary made them: what was legal there,
// row by row or deferred to the commit, is legal here. Owns the prepared statements of one session. Where one does not
// find what it expects, or is refused, a few of them are done again one by one.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "apply/one_by_one.hpp"
#include "apply/statement.hpp"
#include "apply/target.hpp"
#include "pg/session.hpp"

namespace apply {

class InOrder {
 public:
  InOrder(pg::Session& session, Targets& targets, Incidents& incidents)
      : session_(session), targets_(targets), one_by_one_(session, targets, incidents), incidents_(incidents) {}

  // Inside a transaction. Throws as OneByOne does.
  void write(std::span<const Operation* const> operations);

 private:
  bool all_at_once(std::span<const Operation* const> operations);
  const std::string& prepared(const std::string& sql);

  pg::Session& session_;
  Targets& targets_;
  OneByOne one_by_one_;
  Incidents& incidents_;
  std::map<std::string, std::string> statements_;  // SQL to the name it is prepared under
};

}  // namespace apply
