#include <unistd.h>

#include "base/files.hpp"
#include "cli/tool.hpp"
#include "status/check.hpp"
#include "status/control.hpp"

int main(int argc, char** argv) {
  const status::Print print = [](std::string_view text) { base::write_all(STDOUT_FILENO, text, "standard output"); };
  cli::Tool tool("status",
                 "Shows how the backup is, says what is amiss and how to mend it, and turns sync on and off.");
  status::add_check(tool, print);
  status::add_control(tool, print);
  return tool.run(argc, argv);
}
