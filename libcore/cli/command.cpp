#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "cli/command_state.hpp"

namespace cli {
namespace {

using base::Exit;

const std::vector<std::string> levels = {"debug", "info", "warn", "error"};
const std::vector<std::string> formats = {"text", "json"};

std::string alternatives(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "|") + word;
  return out;
}

// "-n,--node" as help shows it.
std::string shown(const std::string& names) {
  std::string out;
  for (const char c : names) out += c == ',' ? std::string(", ") : std::string(1, c);
  return out;
}

// CLI11 takes "" for a value; here it is one that got lost, as in `--node $UNSET`.
std::string refuse_empty(const std::string& value) { return value.empty() ? "the value is empty" : ""; }

std::string one_of(const std::vector<std::string>& words, const std::string& value) {
  const bool known = std::find(words.begin(), words.end(), value) != words.end();
  return known ? "" : value + " is none of " + alternatives(words);
}

}  // namespace

Command::State::State() = default;
Command::State::~State() = default;

CLI::Option* Command::State::add_option(const std::string& names, std::string& to, const std::string& value_name,
                                        std::vector<HelpLine>& lines, const std::string& help) {
  CLI::Option* option = app->add_option(names, to)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->type_name(value_name)->check(CLI::Validator(refuse_empty, ""));
  lines.push_back({shown(names) + " " + value_name, help});
  option_names.push_back(names.substr(names.find("--")));
  return option;
}

void Command::State::add_common(const std::string& names, std::string& to, const std::string& value,
                                const std::string& help, const std::vector<std::string>& words) {
  CLI::Option* option = add_option(names, to, value, page.common, help);
  if (!words.empty()) option->check(CLI::Validator([words](const std::string& v) { return one_of(words, v); }, ""));
}

void Command::State::add_own(CLI::Option* option, const std::string& names, const std::string& value_name,
                             const std::string& help) {
  own_options.push_back(option);
  page.options.push_back({shown(names) + (value_name.empty() ? "" : " " + value_name), help});
  option_names.push_back(names.substr(names.find("--")));
}

void Command::State::add_parsed(const std::string& names, const std::string& value_name, const std::string& help,
                                const Parse& parse) {
  CLI::Option* option = app->add_option(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->type_name(value_name)->expected(1)->check(CLI::Validator(parse, ""));
  add_own(option, names, value_name, help);
}

void Command::State::set_up(CLI::App* to, const std::string& command, const std::string& help, Action run) {
  app = to;
  page.command = command;
  page.summary = help;
  page.runs_alone = static_cast<bool>(run);
  action = std::move(run);
  app->require_subcommand(0, 1);
  app->set_help_flag("-h,--help");
  app->set_version_flag("--version", "");
  add_common("-c,--config", common->config, "FILE",
             "the configuration; else $PGTANDEM_CONFIG, else /etc/pgtandem/pgtandem.yaml");
  add_common("--log-level", common->log_level, alternatives(levels),
             "log what is at least that urgent; else logging.level", levels);
  add_common("--log-format", common->log_format, alternatives(formats),
             "lines for people, or JSON objects; else logging.format", formats);
  page.common.push_back({"--version", "print name and version"});
  page.common.push_back({"-h, --help", "print this help"});
  option_names.insert(option_names.end(), {"--version", "--help"});
}

Command& Command::flag(const std::string& names, bool& to, const std::string& help) {
  CLI::Option* option = state_->app->add_flag(names, to)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->disable_flag_override();
  state_->add_own(option, names, "", help);
  return *this;
}

Command& Command::text(const std::string& names, std::string& to, const std::string& value_name,
                       const std::string& help) {
  state_->own_options.push_back(state_->add_option(names, to, value_name, state_->page.options, help));
  return *this;
}

Command& Command::list(const std::string& names, std::vector<std::string>& to, const std::string& value_name,
                       const std::string& help) {
  CLI::Option* option = state_->app->add_option(names, to)->expected(1)->allow_extra_args(false);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->type_name(value_name)->check(CLI::Validator(refuse_empty, ""));
  state_->add_own(option, names, value_name, help);
  return *this;
}

Command& Command::number(const std::string& names, uint64_t& to, uint64_t least, uint64_t most,
                         const std::string& value_name, const std::string& help) {
  const auto parse = [&to, least, most](const std::string& value) {
    uint64_t number = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed != std::errc() || end != value.data() + value.size() || number < least || number > most)
      return value + " is no number from " + std::to_string(least) + " to " + std::to_string(most);
    to = number;
    return std::string();
  };
  state_->add_parsed(names, value_name, help, parse);
  return *this;
}

Command& Command::lsn(const std::string& names, std::optional<change::Lsn>& to, const std::string& help) {
  const auto parse = [&to](const std::string& value) {
    change::Lsn lsn;
    if (!change::Lsn::parse(value, lsn)) return value + " is no LSN; write one as 0/1A2B3C8";
    to = lsn;
    return std::string();
  };
  state_->add_parsed(names, "LSN", help, parse);
  return *this;
}

Command& Command::word(const std::string& name, std::string& to, const std::string& help) {
  state_->own_options.push_back(state_->app->add_option(name, to));
  state_->word = &to;
  state_->page.words.push_back({name, help});
  return *this;
}

Command& Command::command(const std::string& name, const std::string& help, Action action) {
  Command& child = state_->children.emplace_back();
  child.state_ = std::make_shared<State>();
  State& state = *child.state_;
  state.parent = state_.get();
  state.name = name;
  state.common = state_->common;
  state.set_up(state_->app->add_subcommand(name), state_->page.command + " " + name, help, std::move(action));
  state_->page.commands.push_back({name, help});
  return child;
}

Command& Command::on_error(std::function<Exit(const std::string&)> answer) {
  state_->on_error = std::move(answer);
  return *this;
}

const Command::State& Command::selected() const {
  for (const Command& child : state_->children) {
    if (child.state_->app->parsed()) return child.selected();
  }
  return *state_;
}

}  // namespace cli
