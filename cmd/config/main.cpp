// pgtandem config: the settings in effect as JSON, for people and for scripts.
#include <unistd.h>

#include "base/files.hpp"
#include "cli/tool.hpp"
#include "config/settings.hpp"

int main(int argc, char** argv) {
  cli::Tool tool("config", "Prints the settings in effect as JSON, passwords hidden.",
                 [](const config::Settings& settings) {
                   base::write_all(STDOUT_FILENO, config::to_json(settings) + "\n", "stdout");
                   return base::Exit::done;
                 });
  return tool.run(argc, argv);
}
