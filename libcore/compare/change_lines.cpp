#include "compare/change_lines.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"
#include "change/reader.hpp"
#include "change/writer.hpp"

namespace compare {
namespace {

constexpr size_t memory = 2U << 20;       // that changes take before they go to a file
constexpr size_t print_size = 64U << 10;  // a pipe's size

}  // namespace

ChangeLines::ChangeLines(std::function<void(std::string_view)> print, change::Source source, change::Lsn cut,
                         size_t tables)
    : print_(std::move(print)), source_(std::move(source)), cut_(cut), waiting_(3 * tables, memory) {}

void ChangeLines::print(std::string_view lines) {
  begin();
  out_ += lines;
  if (out_.size() < print_size) return;
  print_(out_);
  out_.clear();
}

void ChangeLines::begin() {
  if (began_) return;
  began_ = true;
  change::append_source(out_, source_, cut_, nullptr, &cut_);
  change::append_begin(out_, cut_, 0, base::unix_microseconds());
}

void ChangeLines::begin_table(const change::Relation& relation) {
  end_table();
  tables_.push_back({&relation, false});
}

// Its deletes.
void ChangeLines::end_table() {
  if (tables_.empty()) return;
  const size_t part = 3 * tables_.size() - 1;
  if (waiting_.empty(part)) return;
  print_relation(tables_.size() - 1);
  waiting_.read(part, [this](std::string_view lines) { print(lines); });
  waiting_.drop(part);
}

void ChangeLines::take_back() {
  for (size_t part = 3 * tables_.size() - 3; part < 3 * tables_.size(); ++part) waiting_.drop(part);
  tables_.back().changes = 0;
}

void ChangeLines::print_relation(size_t table) {
  if (tables_[table].printed) return;
  tables_[table].printed = true;
  std::string line;
  change::append_relation(line, *tables_[table].relation);
  print(line);
}

void ChangeLines::add(change::EventType type, std::string_view line) {
  if (line.size() - 1 > change::max_line)
    throw TooLong(base::Exit::data, tables_.back().relation->text + ": a row that differs takes a line of " +
                                        std::to_string(line.size() >> 20) + " MiB, more than a line may have (" +
                                        std::to_string(change::max_line >> 20) +
                                        " MiB); bring it to the standby by hand, `diff --summary` counts it");
  ++tables_.back().changes;
  const size_t part = type == change::EventType::update ? 0 : type == change::EventType::insert ? 1 : 2;
  waiting_.add(3 * (tables_.size() - 1) + part, line);
}

void ChangeLines::remove(std::span<const change::Value> key) {
  line_.clear();
  change::append_remove(line_, *tables_.back().relation, key);
  add(change::EventType::remove, line_);
}

void ChangeLines::update(std::span<const change::Value> key, std::span<const change::Value> row) {
  line_.clear();
  change::append_update(line_, *tables_.back().relation, key, row);
  add(change::EventType::update, line_);
}

void ChangeLines::insert(std::span<const change::Value> key, std::span<const change::Value> row) {
  line_.clear();
  change::append_insert(line_, *tables_.back().relation, key, row);
  add(change::EventType::insert, line_);
}

void ChangeLines::copy() {
  line_.clear();
  change::append_copy(line_, std::span(&tables_.back().relation->table, 1));
  tables_.back().printed = true;  // it needs no shape
  waiting_.add(3 * tables_.size() - 2, line_);
  ++tables_.back().changes;
}

void ChangeLines::finish() {
  end_table();
  uint64_t changes = 0;
  for (const Table& table : tables_) changes += table.changes;
  for (size_t table = tables_.size(); table-- > 0;)
    for (const size_t part : {3 * table, 3 * table + 1}) {
      if (waiting_.empty(part)) continue;
      print_relation(table);
      waiting_.read(part, [this](std::string_view lines) { print(lines); });
    }
  if (began_) {
    std::string line;
    // The end of a commit record lies after its beginning; here there is none, so the next byte is.
    change::append_commit(line, cut_, {cut_.value + 1}, changes);
    print(line);
  }
  if (!out_.empty()) print_(out_);
  out_.clear();
}

}  // namespace compare
