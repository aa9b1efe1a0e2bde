// A server by itself, and two of them beside each other: how it is reached, what kind it is, its clock. Owns the
// questions and the judgements; the judgements are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "check/finding.hpp"
#include "check/side.hpp"
#include "config/settings.hpp"
#include "pg/session.hpp"
#include "pg/transport.hpp"

namespace check {

struct ServerFacts {
  int version = 0;  // 150020
  bool in_recovery = false;
  std::string encoding;  // "UTF8"
  std::string collate;
  std::string ctype;
  std::string identity;     // of this very database of this very server
  double clock_ahead = 0;   // s of its clock before ours
  double clock_within = 0;  // s by which that may be wrong: half the time that the question took
  pg::Transport transport;
};
ServerFacts read_server(pg::Session& session);

void judge_server(const ServerFacts& facts, const config::Node& node, Findings& findings);
void judge_both(const ServerFacts& primary, const config::Node& primary_node, const ServerFacts& standby,
                const config::Node& standby_node, Findings& findings);

}  // namespace check
