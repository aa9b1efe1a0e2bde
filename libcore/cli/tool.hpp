// What every program's main() shares: options, configuration, logging, signals, and the one place where an error
// becomes a line on stderr and an exit code. The only user of CLI11 and spdlog; neither is seen from here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "change/lsn.hpp"
#include "config/settings.hpp"

namespace cli {

// What a command does once parsed and configured; its result is the exit code.
using Action = std::function<base::Exit(const config::Settings&)>;

// A command or subcommand. The variables bound to options must outlive Tool::run(). Names are as in "-n,--node", the
// long one last. Where an option is given twice the last one counts; an empty value is a usage error.
class Command {
 public:
  Command& flag(const std::string& names, bool& to, const std::string& help);
  Command& text(const std::string& names, std::string& to, const std::string& value_name, const std::string& help);
  // May be given several times.
  Command& list(const std::string& names, std::vector<std::string>& to, const std::string& value_name,
                const std::string& help);
  // What is no whole number from `least` to `most` is a usage error.
  Command& number(const std::string& names, uint64_t& to, uint64_t least, uint64_t most, const std::string& value_name,
                  const std::string& help);
  // What is no LSN is a usage error.
  Command& lsn(const std::string& names, std::optional<change::Lsn>& to, const std::string& help);
  // An optional word without a dash in front, `-` among them. Where there are subcommands too, `-` is the only one that
  // is taken: anything else is a misspelt subcommand.
  Command& word(const std::string& name, std::string& to, const std::string& help);
  // A subcommand; this command then runs by itself only if it has an action of its own. Options of this command do not
  // belong to its subcommands: naming both is a usage error.
  Command& command(const std::string& name, const std::string& help, Action action = {});
  // For a command whose exit codes are not the table's: says what an Error means, by its line, instead of a line on
  // stderr and the error's own code. Not asked of a command line that is wrong.
  Command& on_error(std::function<base::Exit(const std::string& what)> answer);

 private:
  friend class Tool;
  struct State;
  // The subcommand that the command line chose, or this.
  const State& selected() const;
  std::shared_ptr<State> state_;
};

class Tool : public Command {
 public:
  // `action` runs when no subcommand is named; without it a subcommand is required.
  Tool(const std::string& name, const std::string& summary, Action action = {});
  // Parses what is common (-c/--config, --log-level, --log-format, --version, --help, before or after a subcommand) and
  // what was bound, reads the configuration, sets up logging and signals, runs the action, maps every exception.
  // Returns the exit code.
  int run(int argc, char** argv);

 private:
  const State& parse(int argc, char** argv);
  base::Exit run_command(const State& chosen);
  static std::string no_such(const std::string& word, const State& at);
  std::string parse_error(const std::string& message, const State& at) const;
};

}  // namespace cli
