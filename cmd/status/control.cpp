#include "status/control.hpp"

#include <memory>
#include <string>

#include "base/log.hpp"
#include "state/full_pass.hpp"
#include "state/switches.hpp"

namespace status {
namespace {

using base::Exit;
using config::Settings;

constexpr const char* as_json = "print a JSON object instead of a line";

struct Options {
  bool json = false;
  bool wait = false;
  std::string reason;
  std::string node;
};

bool configured(const Settings& settings) { return settings.synchronization.auto_sync_enabled; }

Exit turn(const Settings& settings, bool enabled, const Options& options, const Print& print) {
  const state::Turned turned = state::turn_auto_sync(settings.state_directory, configured(settings), enabled,
                                                     state::this_person(), options.reason);
  if (!turned.changed) base::log(base::Level::info, "nothing to do: it was so before");
  print((options.json ? json_of(turned.now) : text_of(turned.now)) + "\n");
  return Exit::done;
}

Exit is_enabled(const Settings& settings, const Options& options, const Print& print) {
  const state::AutoSync now = state::auto_sync(settings.state_directory, configured(settings));
  print((options.json ? json_of(now) : text_of(now)) + "\n");
  return now.enabled ? Exit::done : Exit::finding;
}

// As the pass itself ended. One that was stopped proved nothing.
Exit exit_of(const state::FullPass& pass) {
  switch (pass.state) {
    case state::PassState::starting:
    case state::PassState::running:
    case state::PassState::proven:
      return Exit::done;
    case state::PassState::different:
    case state::PassState::failed:
      return static_cast<Exit>(*pass.exit_code);
    case state::PassState::stopped:
    case state::PassState::broken_off:
      return Exit::try_later;
  }
  return Exit::bug;
}

Exit force_sync(const Settings& settings, const Options& options, const Print& print) {
  state::Started started = state::start_full_pass(settings, options.node, state::this_person());
  if (started.already_running) base::log(base::Level::info, "a full pass is at work already; no other one was started");
  Exit exit = Exit::done;
  if (options.wait) {
    started.pass = state::await_full_pass(settings.state_directory, started.pass.run);
    exit = exit_of(started.pass);
  }
  if (options.json)
    print(std::string("{\"already_running\":") + (started.already_running ? "true" : "false") +
          ",\"run\":" + run_json(started.pass) + "}\n");
  else
    print(run_text(started.pass) + "\n");
  return exit;
}

}  // namespace

void add_control(cli::Tool& tool, const Print& print) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help, auto action) -> cli::Command& {
    cli::Command& command = tool.command(
        name, help, [options, print, action](const Settings& settings) { return action(settings, *options, print); });
    return command.flag("--json", options->json, as_json);
  };
  add("enable", "let services and timers sync", [](const Settings& settings, const Options& o, const Print& p) {
    return turn(settings, true, o, p);
  }).text("--reason", options->reason, "TEXT", "why, for who looks later");
  add("disable", "let services and timers wait, until enable",
      [](const Settings& settings, const Options& o, const Print& p) { return turn(settings, false, o, p); })
      .text("--reason", options->reason, "TEXT", "why, for who looks later");
  add("is-enabled", "whether they sync: exit 0 when they do, 1 when they wait", is_enabled);
  cli::Command& force = add("force-sync", "start a full pass now, also while sync is disabled", force_sync);
  force.flag("--wait", options->wait, "return when it has ended, with its exit code");
  force.text("--node", options->node, "NAME", "only this standby, where the configuration names several; else all");
}

}  // namespace status
