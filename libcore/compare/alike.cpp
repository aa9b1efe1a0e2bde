#include "compare/alike.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace compare {
namespace {

// What a column that is declared otherwise on the standby is compared by, see table_pair.cpp.
std::string_view compared_part(const DigestColumn& column, std::string_view text) {
  if (column.sql.starts_with("rtrim(")) return text.substr(0, text.find_last_not_of(' ') + 1);
  if (column.sql.starts_with("trim_scale(") && text.find('.') != text.npos) {
    text = text.substr(0, text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.remove_suffix(1);
  }
  return text;
}

}  // namespace

bool compares_alike(const TablePair& pair, const Verdict& verdict) {
  if (verdict.primary.copies != verdict.standby.copies || verdict.primary.values.empty()) return false;
  for (size_t i = 0; i < pair.columns.size(); ++i) {
    const std::optional<std::string>& there = verdict.primary.values[i];
    const std::optional<std::string>& here = verdict.standby.values[i];
    if (there == here) continue;
    if (!there || !here || !pair.mixed[i]) return false;
    if (compared_part(pair.columns[i], *there) != compared_part(pair.columns[i], *here)) return false;
  }
  return true;
}

}  // namespace compare
