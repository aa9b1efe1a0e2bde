#include <unistd.h>

#include "base/files.hpp"
#include "cli/tool.hpp"
#include "status/control.hpp"
#include "status/serve.hpp"

int main(int argc, char** argv) {
  const status::Print print = [](std::string_view text) { base::write_all(STDOUT_FILENO, text, "standard output"); };
  cli::Tool tool("status",
                 "Shows how the backup is, says what is amiss and how to mend it, and turns sync on and off.");
  status::add_control(tool, print);
  status::add_serve(tool);
  return tool.run(argc, argv);
}
