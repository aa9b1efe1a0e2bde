// The text of --help. Owns its layout, which the man pages are compared with; pure. For cli only.
#pragma once

#include <string>
#include <vector>

namespace cli {

struct HelpLine {
  std::string left;  // "--until-lsn LSN"
  std::string help;
};

struct HelpPage {
  std::string command;  // "pgtandem queue dead"
  std::string summary;
  bool runs_alone = true;  // without a subcommand
  std::vector<HelpLine> words;
  std::vector<HelpLine> commands;
  std::vector<HelpLine> options;
  std::vector<HelpLine> common;
};

// usage, summary, arguments, commands, options, common options; lines of 80 columns at most. An entry stands two
// columns in, an option as `-c, --config FILE`, two blanks or a new line before its help.
std::string help_text(const HelpPage& page);

}  // namespace cli
