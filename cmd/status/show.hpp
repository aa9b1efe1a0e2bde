// The commands of status that only look: show (also without a name), monitor, health and metrics. Owns their options
// and how they come onto the screen; what they say is libcore/report's. main() adds them.
#pragma once

#include <memory>

#include "cli/tool.hpp"
#include "status/control.hpp"

namespace status {

struct ShowOptions;
// What status does without a command; its --json is bound by add_show().
class Show {
 public:
  explicit Show(Print print);
  base::Exit operator()(const config::Settings& settings) const;

 private:
  friend void add_show(cli::Tool& tool, const Show& show);
  Print print_;
  std::shared_ptr<ShowOptions> options_;
};
void add_show(cli::Tool& tool, const Show& show);

}  // namespace status
