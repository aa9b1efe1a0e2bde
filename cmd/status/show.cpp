#include "status/show.hpp"

#include <unistd.h>

#include <filesystem>
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
#include "report/since.hpp"
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

std::string on_screen(const report::Snapshot& snapshot) {
  const size_t width = cli::terminal_width(STDOUT_FILENO);
  const std::string text = show_text(snapshot, cli::wants_colour(STDOUT_FILENO), width);
  return report::first_rows(text, width, cli::terminal_height(STDOUT_FILENO));
}

Exit monitor(const Settings& settings, const ShowOptions& options, const Print& print) {
  const bool in_place = cli::is_terminal(STDOUT_FILENO) && !options.json;
  if (in_place) print("\033[2J");
  while (!base::stop_requested()) {
    const report::Snapshot snapshot = report::take_snapshot(settings);
    if (options.json)
      print(show_json(snapshot) + "\n");
    else if (in_place)
      print(redrawn(on_screen(snapshot)));
    else
      print(line_text(snapshot));
    base::sleep_or_stop(options.interval > 0 ? static_cast<double>(options.interval)
                                             : settings.monitoring.health_check_interval);
  }
  return Exit::done;
}

// node_exporter is another user, whatever the umask of who looks.
void write_textfile(const report::Snapshot& snapshot, const std::filesystem::path& file) {
  base::replace_file(file, metrics_text(snapshot), base::Durable::no);
  using std::filesystem::perms;
  std::error_code ignored;  // it is ours, it was made just now
  std::filesystem::permissions(file, perms::group_read | perms::others_read, std::filesystem::perm_options::add,
                               ignored);
}

bool may_write_beside(const std::filesystem::path& file) {
  return ::access(file.has_parent_path() ? file.parent_path().c_str() : ".", W_OK) == 0;
}

// Its exit codes are the monitoring plugins', not the table's.
Exit health(const Settings& settings, const ShowOptions& options, const Print& print) {
  report::Snapshot snapshot = report::take_snapshot(settings);
  // Whoever asks for the health gets it, even if the alerts are another one's, or cannot be noted.
  const auto on_the_side = [](const char* what, auto&& work) {
    try {
      work();
    } catch (const base::Error& error) {
      // Another run beside it, as monitoring's beside the timer's, tells the same.
      const bool busy = error.kind() == Exit::try_later;
      base::log(busy ? base::Level::debug : base::Level::warn, what + (": " + std::string(error.what())));
    }
  };
  on_the_side("findings", [&] { report::note_findings(settings.state_directory, snapshot); });
  on_the_side("alerts", [&] { report::run_alerts(settings, snapshot); });
  // The schedules name the usual place, whether node_exporter is there or not.
  if (!options.textfile.empty() && may_write_beside(options.textfile))
    on_the_side("metrics", [&] { write_textfile(snapshot, options.textfile); });
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
  const report::Snapshot snapshot = report::take_snapshot(settings);
  if (options.textfile.empty())
    print(metrics_text(snapshot));
  else
    write_textfile(snapshot, options.textfile);
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
      .text("--textfile", by.options_->textfile, "FILE",
            "the metrics of the same look, too, where its folder is there and may be written")
      .on_error([options = by.options_, print = by.print_](const std::string& why) {
        return no_health(why, *options, print);
      });
  add("metrics", "figures for Prometheus", metrics)
      .text("--textfile", by.options_->textfile, "FILE",
            "write them to FILE, as one step, for node_exporter's textfile collector");
}

}  // namespace status
