#include <unistd.h>

#include "base/files.hpp"
#include "cli/tool.hpp"
#include "spool/check.hpp"
#include "spool/dead.hpp"
#include "spool/get.hpp"
#include "spool/prune.hpp"
#include "spool/put.hpp"
#include "spool/report.hpp"

namespace {
base::Exit print(const std::string& text, base::Exit exit = base::Exit::done) {
  base::write_all(STDOUT_FILENO, text, "standard output");
  return exit;
}
}  // namespace

int main(int argc, char** argv) {
  using config::Settings;
  spool::GetOptions options;
  bool json = false;
  std::string id;
  cli::Tool tool("queue", "Keeps changes on their way: a durable, checksummed backlog, a cursor for each standby.");
  tool.command("put", "store the changes on stdin; returns when they are durable", [](const Settings& settings) {
    spool::put(STDIN_FILENO, settings);
    return base::Exit::done;
  });
  cli::Command& get = tool.command("get", "write stored changes to stdout", [&](const Settings& settings) {
    options.sync_interval = settings.synchronization.sync_interval;
    spool::get(settings.spool.directory, options, STDOUT_FILENO);
    return base::Exit::done;
  });
  get.lsn("--from", options.from, "begin with the first transaction that commits at or after LSN");
  get.lsn("--to", options.to, "end with the last one that commits at or before LSN");
  get.flag("--follow", options.follow, "wait for more until stopped");
  const auto printed = [](cli::Command& under, const char* name, const char* help, auto text) -> cli::Command& {
    return under.command(name, help, [text](const Settings& settings) { return print(text(settings)); });
  };
  printed(tool, "stat", "how much waits, for whom, and how much room is left", [&](const Settings& settings) {
    return json ? spool::stat_json(spool::stat(settings)) : spool::stat_text(spool::stat(settings));
  }).flag("--json", json, "as one JSON object");
  printed(tool, "list", "the segments, a line each", [&](const Settings& settings) {
    return json ? spool::list_json(spool::list(settings)) : spool::list_text(spool::list(settings));
  }).flag("--json", json, "as a JSON object each");
  tool.command("check", "read all of it and compare; exit 1 when something is wrong", [](const Settings& settings) {
    const spool::CheckResult result = spool::check(settings);
    return print(spool::check_text(result), result.findings.empty() ? base::Exit::done : base::Exit::finding);
  });
  printed(tool, "prune", "remove segments that every standby has applied", spool::prune_text);
  cli::Command& dead = tool.command("dead", "operations in quarantine: what a standby refused");
  printed(dead, "list", "a line each", [&](const Settings& settings) {
    return json ? spool::dead_json(settings, "all") : spool::dead_text(settings, "all");
  }).flag("--json", json, "as a JSON object each");
  for (const spool::DeadAction& action : spool::dead_actions)
    printed(dead, action.name, action.help, [&](const Settings& settings) {
      return action.run(settings, id);
    }).word("operation_id", id, "which one, or all");
  return tool.run(argc, argv);
}
