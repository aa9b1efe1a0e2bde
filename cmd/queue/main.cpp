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
  using base::Exit;
  using config::Settings;
  spool::GetOptions options;
  bool json = false;
  std::string id;
  cli::Tool tool("queue", "Keeps changes on their way: a durable, checksummed backlog, a cursor for each standby.");
  tool.command("put", "store the changes on stdin; returns when they are durable", [](const Settings& settings) {
    spool::put(STDIN_FILENO, settings);
    return Exit::done;
  });
  cli::Command& get = tool.command("get", "write stored changes to stdout", [&](const Settings& settings) {
    options.sync_interval = settings.synchronization.sync_interval;
    spool::get(settings.spool.directory, options, STDOUT_FILENO);
    return Exit::done;
  });
  get.lsn("--from", options.from, "begin with the first transaction that commits at or after LSN");
  get.lsn("--to", options.to, "end with the last one that commits at or before LSN");
  get.flag("--follow", options.follow, "wait for more until stopped");
  tool.command("stat", "how much waits, for whom, and how much room is left",
               [&](const Settings& settings) {
                 const spool::Stat stat = spool::stat(settings);
                 return print(json ? spool::stat_json(stat) : spool::stat_text(stat));
               })
      .flag("--json", json, "as one JSON object");
  tool.command("list", "the segments, a line each",
               [&](const Settings& settings) {
                 const std::vector<spool::SegmentInfo> list = spool::list(settings);
                 return print(json ? spool::list_json(list) : spool::list_text(list));
               })
      .flag("--json", json, "as a JSON object each");
  tool.command("check", "read all of it and compare; exit 1 when something is wrong", [](const Settings& settings) {
    const spool::CheckResult result = spool::check(settings);
    return print(spool::check_text(result), result.findings.empty() ? Exit::done : Exit::finding);
  });
  tool.command("prune", "remove segments that every standby has applied", [](const Settings& settings) {
    std::string removed;
    for (const std::string& name : spool::prune(settings)) removed += name + "\n";
    return print(removed);
  });
  cli::Command& dead = tool.command("dead", "operations in quarantine: what a standby refused");
  dead.command("list", "a line each",
               [&](const Settings& settings) {
                 const auto letters = spool::dead_letters(settings.spool.directory);
                 return print(json ? spool::dead_json(letters) : spool::dead_text(letters));
               })
      .flag("--json", json, "as a JSON object each");
  const auto on_dead = [&](const char* name, const char* help, const auto& action) {
    cli::Command& command =
        dead.command(name, help, [&id, action](const Settings& settings) { return print(action(settings, id)); });
    command.word("id", id, "an operation_id, or all");
  };
  on_dead("show", "all about one", [](const Settings& settings, const std::string& which) {
    return spool::dead_show(spool::named_dead(settings, which));
  });
  on_dead("retry", "have apply try it again, with what waits behind it",
          [](const Settings& settings, const std::string& which) {
            return spool::dead_text(spool::retry_dead(settings, which));
          });
  on_dead("drop", "give it up; the audit record keeps it", [](const Settings& settings, const std::string& which) {
    return spool::dead_text(spool::drop_dead(settings, which));
  });
  return tool.run(argc, argv);
}
