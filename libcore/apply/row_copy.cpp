#include "apply/row_copy.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pg/bytes.hpp"
#include "pg/quote.hpp"

namespace apply {
namespace {

using change::Value;
using change::ValueKind;

constexpr size_t portion = 256 << 10;  // bytes sent at once: enough to keep the server busy meanwhile

// The manual, COPY, "Binary Format": signature, flags, no extension; -1 instead of a row's number of fields ends it.
constexpr std::string_view header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr int16_t trailer = -1;
constexpr int32_t null = -1;

}  // namespace

RowCopy::RowCopy(pg::Session& session, std::string into, const std::vector<pg::Binary>& forms, bool grouped)
    : session_(session),
      into_(std::move(into)),
      forms_(forms),
      grouped_(grouped),
      binary_(std::find(forms.begin(), forms.end(), pg::Binary::none) == forms.end()) {}

void RowCopy::add(std::span<const Value> row, uint32_t group) {
  if (!open_) open();
  const size_t before = waiting_.size();
  if (binary_ && !append_binary_row(row, group)) {
    waiting_.resize(before);
    finish();
    binary_ = false;
    open();
  }
  if (!binary_) append_text_row(row, group);
  if (waiting_.size() < portion) return;
  session_.copy_send(waiting_);
  waiting_.clear();
}

uint64_t RowCopy::finish() {
  if (!std::exchange(open_, false)) return taken_;
  if (binary_) pg::append_big_endian(waiting_, trailer);
  session_.copy_send(waiting_);
  waiting_.clear();
  return taken_ += session_.copy_end();
}

void RowCopy::open() {
  session_.copy_begin("COPY " + into_ + (binary_ ? " FROM STDIN (FORMAT binary)" : " FROM STDIN"));
  if (binary_) waiting_ += header;
  open_ = true;
}

bool RowCopy::append_binary_row(std::span<const Value> row, uint32_t group) {
  pg::append_big_endian(waiting_, static_cast<int16_t>(row.size() + (grouped_ ? 1 : 0)));
  if (grouped_) {
    pg::append_big_endian(waiting_, static_cast<int32_t>(sizeof group));
    pg::append_big_endian(waiting_, group);
  }
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].kind != ValueKind::text)
      pg::append_big_endian(waiting_, null);
    else if (!pg::append_binary(waiting_, forms_[i], row[i].text()))
      return false;
  }
  return true;
}

void RowCopy::append_text_row(std::span<const Value> row, uint32_t group) {
  if (grouped_) waiting_ += std::to_string(group) + '\t';
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) waiting_ += '\t';
    pg::append_copy_value(waiting_, row[i]);
  }
  waiting_ += '\n';
}

}  // namespace apply
