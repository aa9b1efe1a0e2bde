// The parts of judge(), each a look at one side of a snapshot that adds what is wrong there. Their findings are named
// in pgtandem-status(1). For health.cpp alone, but for what snapshot.cpp asks here, too. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/health.hpp"

namespace report {

// What is left where the spool and the primary no longer belong together; capture init refuses a spool of another slot,
// and apply drop learns from the spool which slot it was.
constexpr const char* begin_anew =
    "pgtandem capture drop; pgtandem apply drop; move the spool directory away; pgtandem sync-full --init";

using Findings = std::vector<Finding>;

void judge_servers(const Snapshot& at, Findings& out);   // do they answer, and are they who they should be
void judge_way(const Snapshot& at, Findings& out);       // slot, publication, spool, and the disk under it
void judge_standbys(const Snapshot& at, Findings& out);  // what has arrived: lag, quarantine, tables, proofs
void judge_schedule(const Snapshot& at, Findings& out);  // does it run, and when it should

// " --node NAME" for a command that is about one of several standbys; nothing where there is one.
std::string node_option(const Snapshot& at, const std::string& node);

// For what this user may not see: who may.
std::string as_services(const Snapshot& at);

// Passes as whoever reads a finding has to start them, for what happens by itself is no advice: while sync is disabled
// they do something only when they are forced, and beside a capture that runs an incremental one finds the slot in use.
std::string full_pass(const Snapshot& at, const std::string& node);
std::string incremental_pass(const Snapshot& at, const std::string& node = {});

// Has this incremental pass ended, however it did, not longer ago than the next one should have?
bool ended_lately(const Snapshot& at, const Incremental& pass);

// One is at work, and has left a trace of it not long ago.
bool moves(const Snapshot& at, const Incremental& pass);

}  // namespace report
