#include "status/check.hpp"

#include <memory>
#include <string>

#include "check/check.hpp"

namespace status {

void add_check(cli::Tool& tool, const Print& print) {
  struct Options {
    bool json = false;
    std::string node;
  };
  const auto options = std::make_shared<Options>();
  cli::Command& command =
      tool.command("check", "are configuration, servers, rights and tables fit? exit 1 with what mends each finding",
                   [options, print](const config::Settings& settings) {
                     const check::Result result = check::run(settings, options->node);
                     print(options->json ? json_of(result.findings) : text_of(result.findings));
                     return result.exit;
                   });
  command.flag("--json", options->json, "print a JSON object instead of lines");
  command.text("--node", options->node, "NAME", "only this standby, where the configuration names several");
}

}  // namespace status
