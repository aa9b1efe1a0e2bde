#include "compare/change_lines.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "change/reader.hpp"
#include "change/writer.hpp"

namespace compare {
namespace {

constexpr size_t memory = 4U << 20;       // that updates and inserts of a table each take before they go to a file
constexpr size_t print_size = 64U << 10;  // a pipe's size

}  // namespace

ChangeLines::ChangeLines(std::function<void(std::string_view)> print, change::Source source, change::Lsn cut)
    : print_(std::move(print)), source_(std::move(source)), cut_(cut), updates_(1, memory), inserts_(1, memory) {}

void ChangeLines::print(std::string_view lines) {
  waiting_ += lines;
  if (waiting_.size() < print_size) return;
  print_(waiting_);
  waiting_.clear();
}

void ChangeLines::begin() {
  if (began_) return;
  began_ = true;
  std::string lines;
  change::append_source(lines, source_, cut_, nullptr, &cut_);
  change::append_begin(lines, cut_, 0, base::unix_microseconds());
  print(lines);
}

void ChangeLines::begin_rows() {
  begin();
  if (relation_printed_) return;
  relation_printed_ = true;
  std::string lines;
  change::append_relation(lines, *relation_);
  print(lines);
}

void ChangeLines::begin_table(const change::Relation& relation) {
  relation_ = &relation;
  relation_printed_ = false;
}

void ChangeLines::check_line() const {
  if (line_.size() - 1 > change::max_line)
    throw base::Error(base::Exit::data, relation_->text + ": a row that differs takes a line of " +
                                            std::to_string(line_.size() >> 20) + " MiB, more than a line may have (" +
                                            std::to_string(change::max_line >> 20) +
                                            " MiB); bring it to the standby by hand, `diff --summary` counts it");
}

void ChangeLines::remove(std::span<const change::Value> key) {
  begin_rows();
  line_.clear();
  change::append_remove(line_, *relation_, key);
  check_line();
  print(line_);
  ++changes_;
}

void ChangeLines::update(std::span<const change::Value> key, std::span<const change::Value> row) {
  begin_rows();
  line_.clear();
  change::append_update(line_, *relation_, key, row);
  check_line();
  updates_.add(0, line_);
  ++changes_;
}

void ChangeLines::insert(std::span<const change::Value> key, std::span<const change::Value> row) {
  begin_rows();
  line_.clear();
  change::append_insert(line_, *relation_, key, row);
  check_line();
  inserts_.add(0, line_);
  ++changes_;
}

void ChangeLines::copy(const base::TableName& table) {
  begin();
  std::string line;
  change::append_copy(line, std::span(&table, 1));
  print(line);
  ++changes_;
}

void ChangeLines::end_table() {
  for (Spill* lines : {&updates_, &inserts_}) {
    lines->read(0, [&](std::string_view some) { print(some); });
    *lines = Spill(1, memory);
  }
}

void ChangeLines::finish() {
  if (began_) {
    std::string line;
    // The end of a commit record lies after its beginning; here there is none, so the next byte is.
    change::append_commit(line, cut_, {cut_.value + 1}, changes_);
    print(line);
  }
  if (!waiting_.empty()) print_(waiting_);
  waiting_.clear();
}

}  // namespace compare
