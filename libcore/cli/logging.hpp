// Where log lines and the last word of a failing tool go. Owns the format of both and the one place that writes them;
// the lines come from base::log. For cli only.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace cli {

struct LogOptions {
  std::string tool;
  std::string level = "info";   // debug, info, warn, error
  std::string format = "text";  // text, json
  std::filesystem::path file;   // empty: stderr
};

// Becomes the listener of base::log. Call while there is one thread; lines may then come from any, and never mix, not
// even with those of other processes that append to the same file. Throws Error when the file cannot be opened.
void start_logging(const LogOptions& options);

// The line that ends a failing tool, "TOOL: message" on stderr; as an object where stderr is JSON, and to the log file
// too where there is one. Before start_logging() plain.
void print_failure(const std::string& tool, std::string_view message);

// "\n" and other control characters written as escapes, so that a message is one line and moves no cursor.
std::string escape_controls(std::string_view text);

}  // namespace cli
