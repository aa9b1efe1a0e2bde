#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace cli {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

size_t terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

size_t terminal_height(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : 24;
}

bool is_terminal(int fd) { return ::isatty(fd) != 0 && !variable("TERM").empty() && variable("TERM") != "dumb"; }

bool wants_colour(int fd) {
  if (!variable("NO_COLOR").empty() || variable("PG_COLOR") == "never") return false;
  return variable("PG_COLOR") == "always" || is_terminal(fd);
}

}  // namespace cli
