#include <unistd.h>

#include <cstdio>

#include "apply/run.hpp"
#include "apply/setup.hpp"
#include "cli/tool.hpp"
#include "compare/create_tables.hpp"
#include "compare/first_copy.hpp"
#include "compare/repair.hpp"

int main(int argc, char** argv) {
  using base::Exit;
  apply::Options options;
  std::string report;
  std::string input;
  bool dry_run = false;
  bool create_tables = false;
  bool copy = false;
  cli::Tool tool("apply", "Writes the spool's changes to the standby, exactly once and in commit order.",
                 [&](const config::Settings& settings) {
                   options.report = report;
                   const compare::Print print = [](std::string_view sql) {
                     std::fwrite(sql.data(), 1, sql.size(), stdout);
                   };
                   if (!input.empty())
                     return compare::apply_stdin(settings, options, STDIN_FILENO, dry_run ? print : compare::Print());
                   if (!dry_run) return apply::from_spool_to_standby(settings, options);
                   apply::dry_run(settings, options, nullptr, print);
                   return Exit::done;
                 });
  tool.flag("--follow", options.follow, "go on until stopped, instead of ending with what the spool holds now");
  tool.lsn("--until-lsn", options.until, "go on until everything committed up to LSN is applied");
  const std::string node = "the standby to write to, where the configuration names several";
  tool.text("--node", options.node, "NAME", node);
  tool.flag("--dry-run", dry_run, "print the SQL of what would be done, and do nothing");
  tool.text("--report", report, "FILE", "write a line of JSON for each operation that was applied");
  tool.word("input", input, "- reads changes from stdin instead of the spool");
  cli::Command& init = tool.command("init", "create what is needed on the standby, or find it made",
                                    [&](const config::Settings& settings) {
                                      if (create_tables) compare::create_tables(settings, options.node);
                                      apply::init(settings, options.node);
                                      if (copy) compare::first_copy(settings, options.node);
                                      return Exit::done;
                                    });
  init.flag("--create-tables", create_tables, "make the tables that are missing there as they are on the primary");
  init.flag("--copy", copy, "copy the tables that are empty there, as they are on the primary");
  cli::Command& drop = tool.command("drop", "remove it again", [&](const config::Settings& settings) {
    apply::drop(settings, options.node);
    return Exit::done;
  });
  for (cli::Command* command : {&init, &drop}) command->text("--node", options.node, "NAME", node);
  return tool.run(argc, argv);
}
