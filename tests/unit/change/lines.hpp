// Lines for the reader's tests: each in memory of its own that ends where the reader's right to look ends, so that a
// sanitizer sees a byte too far, and that is filled with what would mislead a parser which looks there.
#pragma once

#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "change/json_cursor.hpp"
#include "change/reader.hpp"

static_assert(change::JsonCursor::beyond <= 64, "base::LineBuffer promises 64 readable bytes after a line");

struct Lines {
  change::Reader reader{"test"};
  base::Arena arena;
  size_t number = 0;

  const change::Event& read(std::string_view line) {
    kept_.assign(line.begin(), line.end());
    kept_.insert(kept_.end(), change::JsonCursor::beyond, number % 2 == 0 ? '"' : '}');
    kept_.shrink_to_fit();
    return reader.read({kept_.data(), line.size()}, ++number, arena);
  }
  // The same of what the writer wrote: lines with their newlines, of which the last is returned.
  const change::Event& read_written(std::string_view lines) {
    const change::Event* event = nullptr;
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      event = &read(lines.substr(0, end));
      lines.remove_prefix(end + 1);
    }
    return *event;
  }
  // What the line is refused with; empty if it is not.
  std::string refusal(std::string_view line) {
    try {
      read(line);
    } catch (const base::Error& error) {
      return error.kind() == base::Exit::data ? error.what() : std::string("another kind: ") + error.what();
    }
    return {};
  }

 private:
  std::vector<char> kept_;
};
