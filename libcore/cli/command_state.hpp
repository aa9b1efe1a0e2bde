// What a command is while it is put together and parsed. Owns how our options become CLI11's, and what help says of
// them. For command.cpp, which puts it together, and tool.cpp, which parses; CLI11 itself is seen by these two only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/help.hpp"
#include "cli/tool.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cli {

// What every command takes, before and after its subcommands.
struct CommonOptions {
  std::string config;
  std::string log_level;
  std::string log_format;
};

struct Command::State {
  using Parse = std::function<std::string(const std::string& value)>;  // keeps the value, or says why not

  State();
  ~State();
  void set_up(CLI::App* to, const std::string& command, const std::string& help, Action run);
  CLI::Option* add_option(const std::string& names, std::string& to, const std::string& value_name,
                          std::vector<HelpLine>& lines, const std::string& help);
  void add_common(const std::string& names, std::string& to, const std::string& value, const std::string& help,
                  const std::vector<std::string>& words = {});
  // An option that does not belong to the subcommands.
  void add_own(CLI::Option* option, const std::string& names, const std::string& value_name, const std::string& help);
  void add_parsed(const std::string& names, const std::string& value_name, const std::string& help, const Parse& parse);

  CLI::App* app = nullptr;  // owned by `root`, or by its parent
  std::unique_ptr<CLI::App> root;
  std::shared_ptr<CommonOptions> common;
  State* parent = nullptr;
  std::string name;
  HelpPage page;
  Action action;
  std::function<base::Exit(const std::string&)> on_error;
  std::deque<Command> children;
  std::vector<CLI::Option*> own_options;
  const std::string* word = nullptr;
  std::vector<std::string> option_names;
};

}  // namespace cli
