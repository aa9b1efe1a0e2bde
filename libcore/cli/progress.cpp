#include "cli/progress.hpp"

#include <unistd.h>

#include <cstdlib>

#include "cli/logging.hpp"
#include "cli/terminal.hpp"

namespace cli {
namespace {

// Best effort: a terminal that takes no more text is no reason to fail.
void write_stderr(const std::string& text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

}  // namespace

ProgressLine::ProgressLine() : shown_(::isatty(STDERR_FILENO) != 0 && std::getenv("TERM") != nullptr) {}
ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(const std::string& text) {
  if (!shown_) return;
  write_stderr("\r\033[K" + escape_controls(text).substr(0, terminal_width(STDERR_FILENO) - 1));
  standing_ = true;
}

void ProgressLine::clear() {
  if (standing_) write_stderr("\r\033[K");
  standing_ = false;
}

}  // namespace cli
