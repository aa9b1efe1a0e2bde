#include "status/show.hpp"

#include <unistd.h>

#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "cli/terminal.hpp"
#include "report/alerts.hpp"
#include "report/api_json.hpp"
#include "report/health.hpp"
#include "report/metrics.hpp"
#include "report/text.hpp"

namespace status {

struct ShowOptions {
  bool json = false;
  uint64_t interval = 0;  // s; 0: monitoring.health_check_interval
  std::string textfile;
};

namespace {

using base::Exit;
using config::Settings;

Exit show(const Settings& settings, const ShowOptions& options, const Print& print) {
  const report::Snapshot snapshot = report::take_snapshot(settings);
  if (options.json) {
    print(show_json(snapshot) + "\n");
  } else {
    print(show_text(snapshot, cli::wants_colour(STDOUT_FILENO), 0));
  }
  return Exit::done;
}

// In place: from the top left corner, each line's rest erased, and what is below the last one. Erasing all of it first
// would flicker.
std::string redrawn(const std::string& text) {
  std::string out = "\033[H";
  for (const char c : text) out += c == '\n' ? std::string("\033[K\n") : std::string(1, c);
  return out + "\033[J";
}

Exit monitor(const Settings& settings, const ShowOptions& options, const Print& print) {
  const bool in_place = cli::is_terminal(STDOUT_FILENO) && !options.json;
  if (in_place) print("\033[2J");
  while (!base::stop_requested()) {
    const report::Snapshot snapshot = report::take_snapshot(settings);
    if (options.json)
      print(show_json(snapshot) + "\n");
    else if (in_place)
      print(redrawn(show_text(snapshot, cli::wants_colour(STDOUT_FILENO), cli::terminal_width(STDOUT_FILENO))));
    else
      print(line_text(snapshot));
    base::sleep_or_stop(options.interval > 0 ? static_cast<double>(options.interval)
                                             : settings.monitoring.health_check_interval);
  }
  return Exit::done;
}

// Its exit codes are the monitoring plugins', not the table's.
Exit health(const Settings& settings, const ShowOptions& options, const Print& print) {
  const report::Snapshot snapshot = report::take_snapshot(settings);
  try {
    report::run_alerts(settings, snapshot);
  } catch (const base::Error& error) {
    // Whoever asks for the health gets it, even if the alerts are another one's, or cannot be noted.
    // Another run beside it, as monitoring's beside the timer's, tells the same.
    const bool busy = error.kind() == Exit::try_later;
    base::log(busy ? base::Level::debug : base::Level::warn, std::string("alerts: ") + error.what());
  }
  print(options.json ? health_json(snapshot) + "\n" : plugin_text(snapshot));
  return static_cast<Exit>(snapshot.verdict.level);
}

// What keeps it from looking is an answer, too, and in the plugins' language: where the configuration does not parse,
// say.
Exit no_health(const std::string& why, const ShowOptions& options, const Print& print) {
  report::Snapshot nothing;
  nothing.time = base::unix_microseconds();
  nothing.verdict = {report::Level::unknown, why, {}};
  print(options.json ? health_json(nothing) + "\n" : plugin_text(nothing));
  return static_cast<Exit>(nothing.verdict.level);
}

Exit metrics(const Settings& settings, const ShowOptions& options, const Print& print) {
  const std::string text = metrics_text(report::take_snapshot(settings));
  if (options.textfile.empty())
    print(text);
  else
    base::replace_file(options.textfile, text, base::Durable::no);
  return Exit::done;
}

}  // namespace

Show::Show(Print print) : print_(std::move(print)), options_(std::make_shared<ShowOptions>()) {}

Exit Show::operator()(const Settings& settings) const { return show(settings, *options_, print_); }

void add_show(cli::Tool& tool, const Show& by) {
  const auto add = [&](const char* name, const char* help, auto action) -> cli::Command& {
    return tool.command(name, help, [options = by.options_, print = by.print_, action](const Settings& settings) {
      return action(settings, *options, print);
    });
  };
  const auto json = [&](cli::Command& command) -> cli::Command& {
    return command.flag("--json", by.options_->json, "print a JSON object");
  };
  json(tool);
  json(add("show", "one screen: is the backup good, since when, and if not, what is to be done", show));
  json(add("monitor", "the same, again and again until it is stopped", monitor))
      .number("--interval", by.options_->interval, 1, 86400, "S",
              "seconds from one look to the next; else health_check_interval");
  json(add("health", "for monitoring: one line, and exit code 0 ok, 1 warning, 2 critical, 3 unknown", health))
      .on_error([options = by.options_, print = by.print_](const std::string& why) {
        return no_health(why, *options, print);
      });
  add("metrics", "figures for Prometheus", metrics)
      .text("--textfile", by.options_->textfile, "FILE",
            "write them to FILE, as one step, for node_exporter's textfile collector");
}

}  // namespace status
