#include "cli/tool.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "cli/command_state.hpp"
#include "cli/help.hpp"
#include "cli/logging.hpp"
#include "config/nearest.hpp"

namespace cli {
namespace {

using base::Error;
using base::Exit;

std::string usage_error(const std::string& what, const HelpPage& page) {
  return what + "; see " + page.command + " --help";
}

}  // namespace

Tool::Tool(const std::string& name, const std::string& summary, Action action) {
  state_ = std::make_shared<State>();
  state_->name = name;
  state_->root = std::make_unique<CLI::App>("", name);
  state_->common = std::make_shared<CommonOptions>();
  state_->set_up(state_->root.get(), "pgtandem " + name, summary, std::move(action));
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
  const CommonOptions& common = *state_->common;
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
