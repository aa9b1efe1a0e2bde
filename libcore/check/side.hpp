// One server while it is looked at: a session with short deadlines, and each look's failure as a finding, so that the
// others go on. Owns the session. A server that hangs costs some seconds, and then no more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "check/finding.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"

namespace check {

class Side {
 public:
  // `until`: of base::monotonic_seconds(), when no further look is begun.
  Side(const config::Node& node, double until, Findings& findings);

  // Runs `look`; false where it was not, or did not come to its end: then a finding of `area` says why, unless the
  // server could not be reached before. `place` begins with the node's name.
  bool look(const std::string& area, const std::string& place, const std::function<void(pg::Session&)>& look);
  bool look(const std::string& area, const std::function<void(pg::Session&)>& what) { return look(area, name(), what); }

  const std::string& name() const { return node_.name; }
  const config::Node& node() const { return node_; }  // with the short deadlines
  // The exit code of the failure to connect; nothing where there was none.
  const std::optional<base::Exit>& unreachable() const { return unreachable_; }

 private:
  bool open();
  config::Node node_;
  double until_;
  Findings& findings_;
  std::unique_ptr<pg::Session> session_;
  std::optional<base::Exit> unreachable_;
};

// s for a statement, or a connection
constexpr double patience = 5;

}  // namespace check
