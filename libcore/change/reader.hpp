// Takes lines of the change format apart and refuses what is not that format: malformed JSON, duplicate or unknown
// members, wrong types, changes outside a transaction, rows of an unknown shape. Owns the shapes seen so far and the
// place in the current transaction. Every refusal is an Error(data) "NAME:LINE:POSITION: what".
#pragma once

#include <memory>
#include <string>

#include "base/arena.hpp"
#include "change/change.hpp"

namespace change {

// A line may be this long: half of what a PostgreSQL value may be is still far more than a row should be, and every
// tool has to hold a line in memory (twice, while it is taken apart).
constexpr size_t max_line = size_t{128} << 20;

class Reader {
 public:
  explicit Reader(std::string name);
  ~Reader();
  Reader(Reader&&) noexcept;

  // Takes one line (without its newline) apart. At least 64 bytes after its end must be readable (base::LineBuffer
  // sees to that). Values go to `arena`; relations live as long as the reader; the event until the next call.
  const Event& read(std::string_view line, size_t line_number, base::Arena& arena);

  // A `source` line ends it: the stream starts again there, and a transaction begun before it is void.
  bool in_transaction() const;
  // The shapes in force, to repeat them at the head of a new segment.
  std::vector<const Relation*> relations() const;
  // The shape in force for the table, or nullptr.
  const Relation* relation(const std::string& table_text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace change
