// For cut_test: makes a cut of the configured tables and prints a JSON line of it; then keeps it until its stdin ends.
// `--hold` keeps the applier held as well, `--plain` makes one that is not exact, `--limit S`.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/stop.hpp"
#include "compare/cut.hpp"
#include "config/settings.hpp"

int main(int argc, char** argv) {
  base::install_stop_signals();
  base::set_log_listener([](base::Level, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  try {
    const config::Settings settings = config::load(config::find_file({}));
    compare::CutOptions options;
    options.tables = settings.synchronization.sync_tables;
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--hold") options.hold = true;
      if (word == "--plain") options.exact = false;
      if (word == "--limit" && i + 1 < argc) options.limit = std::atof(argv[++i]);
    }
    compare::Cut cut(settings, options);
    std::printf(R"({"exact":%s,"lsn":"%s","standby":"%s","primary_snapshot":"%s","standby_snapshot":"%s","way":"%s"})"
                "\n",
                cut.exact() ? "true" : "false", cut.lsn().text().c_str(), cut.standby_lsn().text().c_str(),
                cut.primary_snapshot().c_str(), cut.standby_snapshot().c_str(), cut.in_the_way().c_str());
    std::fflush(stdout);
    char byte;
    while (base::read_some(STDIN_FILENO, &byte, 1, "stdin") > 0)
      if (byte == '?') std::printf("%s\n", cut.in_the_way().c_str()), std::fflush(stdout);
    return 0;
  } catch (const base::Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.kind());
  }
}
