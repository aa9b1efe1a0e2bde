#include "compare/kept_rows.hpp"

#include <utility>

#include "pg/copy_out.hpp"

namespace compare {

std::string KeptRows::of(std::string_view rows) {
  std::string out;
  std::string row;
  std::vector<change::Value> values;
  std::vector<change::Value> key;
  begin_ = 0;
  for (size_t at = 0; at < rows.size();) {
    const size_t end = rows.find('\n', at);
    row = rows.substr(at, end - at);
    pg::take_copy_row(row.data(), row.data() + row.size(), values);
    key.clear();
    for (const uint16_t i : relation_.key) key.push_back(values[i]);
    sieve_.add(change::EventType::insert, relation_, key, values);
    ends_.push_back(at = end + 1);
    if (sieve_.full()) ask(rows, out);
  }
  ask(rows, out);
  return out;
}

void KeptRows::ask(std::string_view rows, std::string& out) {
  const std::vector<bool> kept = sieve_.ask();
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i])
      out += rows.substr(begin_, ends_[i] - begin_);
    else
      ++left_out_;
    begin_ = ends_[i];
  }
  ends_.clear();
}

}  // namespace compare
