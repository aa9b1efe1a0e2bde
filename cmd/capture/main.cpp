#include <unistd.h>

#include <cstdio>

#include "capture/link.hpp"
#include "capture/run.hpp"
#include "cli/tool.hpp"

int main(int argc, char** argv) {
  using base::Exit;
  capture::Options options;
  cli::Tool tool("capture",
                 "Reads every committed change of the synced tables from the primary, in commit order, as JSON Lines.",
                 [&](const config::Settings& settings) {
                   capture::run(settings, options, STDOUT_FILENO);
                   return Exit::done;
                 });
  tool.flag("--follow", options.follow, "go on until stopped, instead of ending at what is committed now");
  tool.lsn("--until-lsn", options.until, "end when everything committed up to LSN was read");
  const std::string node = "the primary to read, where the configuration names several";
  tool.text("--node", options.node, "NAME", node);
  cli::Command& init = tool.command("init", "create publication, slot and spool, or find them made",
                                    [&](const config::Settings& settings) {
                                      capture::init(settings, options.node);
                                      return Exit::done;
                                    });
  cli::Command& drop =
      tool.command("drop", "remove publication and slot; the spool stays", [&](const config::Settings& settings) {
        capture::drop(settings, options.node);
        return Exit::done;
      });
  cli::Command& lsn = tool.command("lsn", "print the position up to which a pass that starts now would read",
                                   [&](const config::Settings& settings) {
                                     std::puts(capture::position(settings, options.node).text().c_str());
                                     return Exit::done;
                                   });
  for (cli::Command* command : {&init, &drop, &lsn}) command->text("--node", options.node, "NAME", node);
  return tool.run(argc, argv);
}
