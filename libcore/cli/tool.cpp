#include "cli/tool.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <new>

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "cli/help.hpp"
#include "cli/logging.hpp"
#include "config/nearest.hpp"

namespace cli {
namespace {

using base::Error;
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

// What every command takes, before and after its subcommands.
struct Common {
  std::string config;
  std::string log_level;
  std::string log_format;
};

}  // namespace

struct Command::State {
  CLI::App* app = nullptr;  // owned by `root`, or by its parent
  std::unique_ptr<CLI::App> root;
  std::shared_ptr<Common> common;
  State* parent = nullptr;
  std::string name;
  HelpPage page;
  Action action;
  std::function<Exit(const std::string&)> on_error;
  std::deque<Command> children;
  std::vector<CLI::Option*> own_options;
  const std::string* word = nullptr;
  std::vector<std::string> option_names;

  void set_up(CLI::App* to, const std::string& command, const std::string& help, Action run);
  void add_common(const std::string& names, std::string& to, const std::string& value, const std::string& help,
                  const std::vector<std::string>& words = {});
  CLI::Option* add_option(const std::string& names, std::string& to, const std::string& value_name,
                          std::vector<HelpLine>& lines, const std::string& help);
};

namespace {

// CLI11 takes "" for a value; here it is one that got lost, as in `--node $UNSET`.
std::string refuse_empty(const std::string& value) { return value.empty() ? "the value is empty" : ""; }

std::string usage_error(const std::string& what, const HelpPage& page) {
  return what + "; see " + page.command + " --help";
}

std::string one_of(const std::vector<std::string>& words, const std::string& value) {
  const bool known = std::find(words.begin(), words.end(), value) != words.end();
  return known ? "" : value + " is none of " + alternatives(words);
}

}  // namespace

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
  state_->own_options.push_back(option);
  state_->page.options.push_back({shown(names), help});
  state_->option_names.push_back(names.substr(names.find("--")));
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
  state_->own_options.push_back(option);
  state_->page.options.push_back({shown(names) + " " + value_name, help});
  state_->option_names.push_back(names.substr(names.find("--")));
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
  CLI::Option* option = state_->app->add_option(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->type_name(value_name)->expected(1)->check(CLI::Validator(parse, ""));
  state_->own_options.push_back(option);
  state_->page.options.push_back({shown(names) + " " + value_name, help});
  state_->option_names.push_back(names.substr(names.find("--")));
  return *this;
}

Command& Command::lsn(const std::string& names, std::optional<change::Lsn>& to, const std::string& help) {
  const auto parse = [&to](const std::string& value) {
    change::Lsn lsn;
    if (!change::Lsn::parse(value, lsn)) return value + " is no LSN; write one as 0/1A2B3C8";
    to = lsn;
    return std::string();
  };
  CLI::Option* option = state_->app->add_option(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  option->type_name("LSN")->expected(1)->check(CLI::Validator(parse, ""));
  state_->own_options.push_back(option);
  state_->page.options.push_back({shown(names) + " LSN", help});
  state_->option_names.push_back(names.substr(names.find("--")));
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

Tool::Tool(const std::string& name, const std::string& summary, Action action) {
  state_ = std::make_shared<State>();
  state_->name = name;
  state_->root = std::make_unique<CLI::App>("", name);
  state_->common = std::make_shared<Common>();
  state_->set_up(state_->root.get(), "pgtandem " + name, summary, std::move(action));
}

const Command::State& Command::selected() const {
  for (const Command& child : state_->children) {
    if (child.state_->app->parsed()) return child.selected();
  }
  return *state_;
}

std::string Tool::no_such(const std::string& word, const State& at) {
  const bool option = word.size() > 1 && word[0] == '-';
  std::vector<std::string> names;
  if (option) names = at.option_names;
  for (const HelpLine& line : at.page.commands) {
    if (!option) names.push_back(line.left);
  }
  const std::string kind = option ? "option " : at.page.commands.empty() ? "argument " : "command ";
  const std::string meant = config::nearest(word.substr(0, word.find('=')), names);
  return usage_error("there is no " + kind + word + (meant.empty() ? "" : ", did you mean " + meant + "?"), at.page);
}

std::string Tool::parse_error(const std::string& message, const State& at) const {
  const std::vector<std::string> rest = state_->app->remaining(true);
  if (!rest.empty()) return no_such(rest.front(), at);
  std::string what = message;
  if (!what.empty() && what[0] >= 'A' && what[0] <= 'Z') what[0] = static_cast<char>(what[0] - 'A' + 'a');
  return usage_error(what, at.page);
}

const Command::State& Tool::parse(int argc, char** argv) {
  try {
    state_->app->parse(argc, argv);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ArgumentMismatch& e) {
    // CLI11 says "follow was given a disallowed flag override" for --follow=1, "--node: 1 required NAME missing".
    const std::string message = e.what();
    const bool flag = message.find("flag override") != std::string::npos;
    const std::string option = message.substr(0, message.find_first_of(flag ? " " : ":"));
    throw Error(Exit::usage,
                parse_error(flag ? "--" + option + " takes no value" : option + ": a value is missing", selected()));
  } catch (const CLI::ParseError& e) {
    throw Error(Exit::usage, parse_error(e.what(), selected()));
  }
  const State& chosen = selected();
  for (const State* above = chosen.parent; above; above = above->parent) {
    for (const CLI::Option* option : above->own_options) {
      if (option->count() == 0) continue;
      throw Error(Exit::usage, usage_error(option->get_name() + " does not belong to " + chosen.name, chosen.page));
    }
  }
  // A misspelt command must not pass for the name of something else to read.
  if (chosen.word && !chosen.word->empty() && *chosen.word != "-" && !chosen.page.commands.empty()) {
    throw Error(Exit::usage, no_such(*chosen.word, chosen));
  }
  if (!chosen.action) {
    std::string commands;
    for (const HelpLine& line : chosen.page.commands) commands += (commands.empty() ? "" : ", ") + line.left;
    throw Error(Exit::usage, usage_error("a command is missing, one of " + commands, chosen.page));
  }
  return chosen;
}

Exit Tool::run_command(const State& chosen) try {
  const Common& common = *state_->common;
  LogOptions log{state_->name, "info", "text", {}};
  if (!common.log_level.empty()) log.level = common.log_level;
  if (!common.log_format.empty()) log.format = common.log_format;
  start_logging(log);

  const config::Settings settings = config::load(config::find_file(common.config));
  if (common.log_level.empty()) log.level = settings.logging.level;
  if (common.log_format.empty()) log.format = settings.logging.format;
  log.file = settings.logging.file;
  start_logging(log);
  for (const std::string& warning : settings.warnings) base::log(base::Level::warn, warning);
  for (const std::string& note : settings.notes) base::log(base::Level::debug, note);
  const Exit exit = chosen.action(settings);
  // What was printed through stdio is only written now; a full disk must not end in success.
  if (std::fflush(stdout) != 0) base::throw_errno("cannot write stdout");
  return exit;
} catch (const base::PipeClosed&) {
  throw;
} catch (const Error& error) {
  if (!chosen.on_error) throw;
  return chosen.on_error(error.what());
}

int Tool::run(int argc, char** argv) {
  const auto fail = [&](Exit code, const std::string& message) {
    print_failure(state_->name, message);
    return static_cast<int>(code);
  };
  try {
    base::install_stop_signals();
    start_logging({state_->name, "info", "text", {}});
    try {
      return static_cast<int>(run_command(parse(argc, argv)));
    } catch (const CLI::CallForVersion&) {
      base::write_all(STDOUT_FILENO, state_->name + " (pgtandem) " PGTANDEM_VERSION "\n", "stdout");
    } catch (const CLI::Success&) {
      base::write_all(STDOUT_FILENO, help_text(selected().page), "stdout");
    }
    return static_cast<int>(Exit::done);
  } catch (const base::PipeClosed& e) {
    // Whoever read our output has gone, as head(1) does when it has enough: no news to anybody. The exit code tells
    // scripts; if the reader failed it has said so itself.
    base::log(base::Level::debug, e.what());
    return static_cast<int>(e.kind());
  } catch (const base::MissingRights& e) {
    std::string lines;
    for (const std::string& statement : e.statements()) lines += statement + "\n";
    try {
      base::write_all(STDOUT_FILENO, lines, "stdout");  // before the line that speaks of them
    } catch (const Error& unwritten) {
      base::log(base::Level::warn, unwritten.what());
    }
    return fail(e.kind(), e.what());
  } catch (const Error& e) {
    return fail(e.kind(), e.what());
  } catch (const std::bad_alloc&) {
    return fail(Exit::bug, "out of memory; give the machine more, or report what it was doing");
  } catch (const std::exception& e) {
    return fail(Exit::bug, std::string("a bug: ") + e.what() + "; please report it with the log at level debug");
  }
}

}  // namespace cli
