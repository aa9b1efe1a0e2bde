#include "capture/kept_lines.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "change/writer.hpp"

namespace capture {
namespace {

constexpr std::string_view label = ",\"operation_id\":\"";

// The id where it stands at the end, as we wrote it and as most programs leave it; empty where it does not.
std::string_view id_at_end(std::string_view line) {
  if (!line.ends_with("\"}")) return {};
  const size_t at = line.rfind(label);
  if (at == std::string_view::npos) return {};
  const std::string_view id = line.substr(at + label.size(), line.size() - 2 - at - label.size());
  return id.find('"') == std::string_view::npos ? id : std::string_view();
}

// Programs write the same JSON in other words: blanks, escapes, the order of members. Null where it is none.
nlohmann::json parsed(std::string_view line) { return nlohmann::json::parse(line, nullptr, false); }

}  // namespace

FilterChunk::Mark& FilterChunk::add_mark() {
  marks_.emplace_back();
  marks_.back().after = lines_.size();
  return marks_.back();
}

void FilterChunk::mark(std::string_view lines) {
  if (lines.empty()) return;
  mark_bytes_ += lines.size();
  add_mark().lines = lines;
}

void FilterChunk::begin(std::string_view line) {
  mark(line);
  marks_.back().begins = true;
}

void FilterChunk::commit(change::Lsn lsn, change::Lsn end_lsn) {
  Mark& mark = add_mark();
  mark.commits = true;
  mark.lsn = lsn;
  mark.end_lsn = end_lsn;
  mark_bytes_ += sizeof(Mark);
}

void FilterChunk::change(std::string_view line, change::Lsn lsn, uint64_t ordinal) {
  Line added;
  added.start = input_.size();
  added.original = line.size();
  input_.append(line.substr(0, line.size() - 2));  // "}\n"
  input_ += label;
  lsn.append_to(input_);
  input_ += '#' + std::to_string(ordinal) + "\"}\n";
  added.size = input_.size() - added.start;
  lines_.push_back(added);
}

std::string_view FilterChunk::line(size_t i) const {
  return std::string_view(input_).substr(lines_[i].start, lines_[i].size - 1);
}

std::string_view FilterChunk::id(size_t i) const {
  const std::string_view whole = line(i);
  const size_t before = lines_[i].original - 2 + label.size();
  return whole.substr(before, whole.size() - 2 - before);
}

std::string FilterChunk::without(const std::vector<bool>& kept, uint64_t& in_transaction) const {
  std::string out;
  out.reserve(input_.size() + mark_bytes_);
  size_t next = 0;
  const auto changes_up_to = [&](size_t end) {
    for (; next < end; ++next) {
      if (!kept[next]) continue;
      out.append(input_, lines_[next].start, lines_[next].original - 2);
      out += "}\n";
      ++in_transaction;
    }
  };
  for (const Mark& mark : marks_) {
    changes_up_to(mark.after);
    if (mark.begins) in_transaction = 0;
    out += mark.lines;
    if (mark.commits) change::append_commit(out, mark.lsn, mark.end_lsn, in_transaction);
  }
  changes_up_to(lines_.size());
  return out;
}

KeptLines::KeptLines(const FilterChunk& chunk, std::string program)
    : chunk_(chunk), program_(std::move(program)), kept_(chunk.changes()) {
  for (size_t i = 0; i < chunk.changes(); ++i) longest_ = std::max(longest_, chunk.line(i).size());
}

void KeptLines::refuse(const std::string& what) const {
  throw base::Error(base::Exit::data, program_ + ": line " + std::to_string(number_) + " of what it printed " + what +
                                          "; a filter may leave lines out and nothing else: mend it, nothing is lost");
}

void KeptLines::take(std::string_view bytes) {
  for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    partial_ += bytes.substr(0, end);
    take_line(partial_);
    partial_.clear();
    bytes.remove_prefix(end + 1);
  }
  partial_ += bytes;
  // Escapes make a byte six at most, blanks a few more: what is longer is no line of ours, and is not waited for.
  if (partial_.size() <= longest_ * 8 + 1024) return;
  ++number_;
  refuse("is longer than any that it was given");
}

void KeptLines::finish() {
  if (!partial_.empty()) take_line(partial_);
  partial_.clear();
}

void KeptLines::take_line(std::string_view line) {
  ++number_;
  std::string_view id = id_at_end(line);
  nlohmann::json json;
  std::string found;
  if (id.empty()) {
    json = parsed(line);
    if (json.is_object() && json.contains("operation_id") && json["operation_id"].is_string())
      found = json["operation_id"].get<std::string>();
    id = found;
  }
  if (id.empty()) refuse("is none that it was given: it has no operation_id");
  size_t i = next_;
  while (i < chunk_.changes() && chunk_.id(i) != id) ++i;
  if (i == chunk_.changes()) {
    for (i = 0; i < next_; ++i)
      if (chunk_.id(i) == id) refuse(kept_[i] ? "came before" : "comes after a later one");
    refuse("is none that it was given: its operation_id is unknown");
  }
  if (line != chunk_.line(i)) {
    if (json.is_null()) json = parsed(line);
    if (json != parsed(chunk_.line(i))) refuse("is changed");
  }
  kept_[i] = true;
  next_ = i + 1;
}

}  // namespace capture
