#include "cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/logging.hpp"

namespace cli {
namespace {

// Best effort: a terminal that takes no more text is no reason to fail.
void write_stderr(const std::string& text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

}  // namespace

ProgressLine::ProgressLine() : shown_(::isatty(STDERR_FILENO) != 0 && std::getenv("TERM") != nullptr) {}
ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(const std::string& text) {
  if (!shown_) return;
  write_stderr("\r\033[K" + escape_controls(text).substr(0, terminal_width() - 1));
  standing_ = true;
}

void ProgressLine::clear() {
  if (standing_) write_stderr("\r\033[K");
  standing_ = false;
}

}  // namespace cli
