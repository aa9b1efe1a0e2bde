#include <unistd.h>

#include "base/files.hpp"
#include "cli/progress.hpp"
#include "cli/tool.hpp"
#include "compare/diff.hpp"

int main(int argc, char** argv) {
  compare::Options options;
  std::string report;
  cli::Tool tool("diff", "Prints the changes that would make the standby's tables equal to the primary's.",
                 [&](const config::Settings& settings) {
                   options.report = report;
                   cli::ProgressLine progress;
                   options.print = [&](std::string_view lines) {
                     progress.clear();
                     base::write_all(STDOUT_FILENO, lines, "stdout");
                   };
                   if (progress.is_shown())
                     options.show = [&](const compare::Progress& now) { progress.show(compare::text_of(now)); };
                   return compare::diff(settings, options);
                 });
  tool.list("--table", options.asked.tables, "NAME", "only this one of sync_tables; may be given several times");
  tool.flag("--summary", options.summary, "print a line for each table, instead of the changes");
  tool.flag("--rows", options.rows, "print all rows of a table that is empty on the standby, instead of a copy line");
  tool.flag("--recheck", options.recheck, "without a slot: look again at what differs, until it is certain");
  tool.text("--report", report, "FILE", "write a line of JSON for each table, with what was found in it");
  tool.text("--node", options.asked.node, "NAME", "the standby to compare, where the configuration names several");
  tool.number("--jobs", options.asked.jobs, 1, 64, "N", "sessions that read a table at the same time on each side; 1");
  return tool.run(argc, argv);
}
