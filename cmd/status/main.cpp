#include <unistd.h>

#include "base/files.hpp"
#include "cli/tool.hpp"
#include "status/check.hpp"
#include "status/control.hpp"
#include "status/serve.hpp"
#include "status/show.hpp"

int main(int argc, char** argv) {
  const status::Print print = [](std::string_view text) { base::write_all(STDOUT_FILENO, text, "standard output"); };
  const status::Show show(print);
  cli::Tool tool("status", "Shows how the backup is, says what is amiss and how to mend it, and turns sync on and off.",
                 show);
  status::add_show(tool, show);
  status::add_check(tool, print);
  status::add_control(tool, print);
  status::add_serve(tool);
  return tool.run(argc, argv);
}
