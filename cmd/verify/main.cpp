#include <unistd.h>

#include "base/files.hpp"
#include "cli/progress.hpp"
#include "cli/tool.hpp"
#include "compare/verify.hpp"
#include "compare/verify_lines.hpp"

int main(int argc, char** argv) {
  compare::VerifyOptions options;
  std::string input;
  cli::Tool tool("verify", "Proves that the standby's tables are equal to the primary's, and leaves a receipt.",
                 [&](const config::Settings& settings) {
                   cli::ProgressLine progress;
                   options.print = [&](std::string_view lines) {
                     progress.clear();
                     base::write_all(STDOUT_FILENO, lines, "stdout");
                   };
                   if (!input.empty()) return compare::verify_lines(settings, options, STDIN_FILENO);
                   if (progress.is_shown())
                     options.show = [&](const compare::Progress& now) { progress.show(compare::text_of(now)); };
                   return compare::verify(settings, options);
                 });
  const std::string node = "the standby to compare, where the configuration names several";
  const std::string json = "print JSON instead of a line a table";
  tool.list("--table", options.asked.tables, "NAME", "only this one of sync_tables; may be given several times");
  tool.number("--sample", options.sample, 1, 1000000, "N", "look at N random rows of each table only; proves nothing");
  tool.flag("--scrub", options.scrub, "of tables proven before read what changed since, and a part of the rest");
  tool.flag("--json", options.json, json);
  tool.text("--node", options.asked.node, "NAME", node);
  tool.number("--jobs", options.asked.jobs, 1, 64, "N", "sessions that read a table at the same time on each side; 1");
  tool.word("input", input, "- reads a report of apply, or changes, and proves the rows that they name");
  cli::Command& marked = tool.command(
      "marked", "the tables that are marked for the next full pass", [&](const config::Settings& settings) {
        base::write_all(STDOUT_FILENO, compare::marked_text(settings, options.asked.node, options.json), "stdout");
        return base::Exit::done;
      });
  marked.text("--node", options.asked.node, "NAME", node);
  marked.flag("--json", options.json, json);
  return tool.run(argc, argv);
}
