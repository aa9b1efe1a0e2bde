#include "cli/help.hpp"

#include <algorithm>

namespace cli {
namespace {

constexpr size_t width = 80;
constexpr size_t help_column = 26;

// Appends `text` from column `column` on, broken between words.
void append_wrapped(std::string& out, const std::string& text, size_t column, size_t indent) {
  size_t at = column;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find(' ', i), text.size());
    const size_t length = end - i;
    if (at > indent && at + 1 + length > width) {
      out += '\n' + std::string(indent, ' ');
      at = indent;
    } else if (at > indent) {
      out += ' ';
      ++at;
    }
    out.append(text, i, length);
    at += length;
    i = std::min(end + 1, text.size());
  }
  out += '\n';
}

void append_section(std::string& out, const std::string& title, const std::vector<HelpLine>& lines) {
  if (lines.empty()) return;
  out += '\n' + title + ":\n";
  for (const HelpLine& line : lines) {
    out += "  " + line.left;
    if (2 + line.left.size() + 2 <= help_column) {
      out += std::string(help_column - 2 - line.left.size(), ' ');
    } else {
      out += '\n' + std::string(help_column, ' ');
    }
    append_wrapped(out, line.help, help_column, help_column);
  }
}

}  // namespace

std::string help_text(const HelpPage& page) {
  std::string usage = "usage: " + page.command + " [OPTION]...";
  for (const HelpLine& word : page.words) usage += " [" + word.left + "]";
  if (page.commands.empty() || page.runs_alone) usage += '\n';
  if (!page.commands.empty()) {
    usage = (page.runs_alone ? usage + "       " : "usage: ") + page.command + " COMMAND [OPTION]...\n";
  }
  std::string out = usage + '\n';
  append_wrapped(out, page.summary, 0, 0);
  append_section(out, "arguments", page.words);
  append_section(out, "commands", page.commands);
  append_section(out, "options", page.options);
  append_section(out, "common options", page.common);
  return out;
}

}  // namespace cli
