#include "check/side.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace check {

Side::Side(const config::Node& node, double until, Findings& findings)
    : node_(node), until_(until), findings_(findings) {
  node_.connection_timeout = std::min(node.connection_timeout, patience);
}

bool Side::open() {
  if (unreachable_) return false;
  if (session_) return true;
  try {
    session_ = std::make_unique<pg::Session>(
        node_, pg::SessionOptions{.purpose = "pgtandem status",
                                  .writes_as_replica = node_.role == config::Role::secondary,  // as apply's are
                                  .answer_timeout = patience});
    return true;
  } catch (const base::Error& failure) {
    unreachable_ = failure.kind();
    findings_.add(Severity::error, "connection", node_.name, failure.what());
    return false;
  }
}

bool Side::look(const std::string& area, const std::string& place, const std::function<void(pg::Session&)>& look) {
  if (unreachable_) return false;
  if (base::monotonic_seconds() > until_) {
    findings_.add({Severity::warning, "connection", node_.name, "it is slow: not everything could be looked at in time",
                   "look for locks and load there, and run pgtandem status check again"});
    return false;
  }
  if (!open()) return false;
  try {
    look(*session_);
    return true;
  } catch (const base::Transient& failure) {  // the session is dead; the next look tries a new one
    session_.reset();
    findings_.add(Severity::warning, area, place, failure.what());
  } catch (const base::Error& failure) {
    findings_.add(Severity::error, area, place, failure.what());
  }
  return false;
}

}  // namespace check
